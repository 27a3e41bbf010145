/** The samples that one channel kept: where they stood, and the values they stand for. */
export interface KeptPoints {
  readonly rows: Uint32Array;
  readonly values: Float32Array;
}

/** 32 bits of time and a float32. */
const POINT_BYTES = 8;

/** Collects points of all channels, one channel after the other; each begins at row 0, which is how a reader tells them. */
export class PointWriter {
  readonly #view: DataView<ArrayBuffer>;
  #at = 0;

  /** @param most  as many points as there may be */
  constructor(most: number) {
    this.#view = new DataView(new ArrayBuffer(most * POINT_BYTES));
  }

  add(row: number, value: number): void {
    this.#view.setUint32(this.#at, row, true);
    this.#view.setFloat32(this.#at + 4, value, true);
    this.#at += POINT_BYTES;
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#view.buffer).slice(0, this.#at);
  }
}

/** Read the points of each channel that has any. */
export function readPoints(bytes: Uint8Array): KeptPoints[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / POINT_BYTES);
  const rows = Uint32Array.from({ length: count }, (_, i) => view.getUint32(i * POINT_BYTES, true));
  const values = Float32Array.from({ length: count }, (_, i) => view.getFloat32(i * POINT_BYTES + 4, true));
  const starts = [...rows.keys()].filter((i) => rows[i] === 0);
  return starts.map((start, c) => ({
    rows: rows.subarray(start, starts[c + 1] ?? count),
    values: values.subarray(start, starts[c + 1] ?? count),
  }));
}
