import { FRAME_FIELDS, FRAME_OPS, type FrameOp, type StoreBatch, type StoreRecord } from "./store.ts";

const FIRST_FRAMES = 64;
const FIRST_BYTES = 4_096;

/** Packs writes for one commit: many small frames travel to the commit worker as two arrays. */
export class BatchBuilder {
  readonly #records: StoreRecord[] = [];
  #frames = new Uint32Array(FIRST_FRAMES * FRAME_FIELDS);
  #bytes = new Uint8Array(FIRST_BYTES);
  #frameCount = 0;
  #byteCount = 0;
  #recordBytes = 0;

  get frameCount(): number {
    return this.#frameCount;
  }

  /** Bytes of frames and of records held. */
  get byteCount(): number {
    return this.#byteCount + this.#recordBytes;
  }

  get isEmpty(): boolean {
    return this.#frameCount === 0 && this.#records.length === 0;
  }

  addRecord(record: StoreRecord): void {
    this.#records.push(record);
    if (record.table === "snapshot") this.#recordBytes += record.state.length;
    if (record.table === "tail") this.#recordBytes += record.state.length + record.levels.length;
    if (record.table === "stretch") this.#recordBytes += record.levels.length;
  }

  /** Copy a frame in; returns its row in the batch. */
  addFrame(op: FrameOp, device: number, epoch: number, seq: number, bytes: Uint8Array): number {
    const row = this.#frameCount;
    const at = row * FRAME_FIELDS;
    this.#frames = roomFor(this.#frames, at + FRAME_FIELDS, (size) => new Uint32Array(size));
    this.#bytes = roomFor(this.#bytes, this.#byteCount + bytes.length, (size) => new Uint8Array(size));
    this.#frames[at] = FRAME_OPS.indexOf(op);
    this.#frames[at + 1] = device;
    this.#frames[at + 2] = epoch;
    this.#frames[at + 3] = seq;
    this.#frames[at + 4] = bytes.length;
    this.#bytes.set(bytes, this.#byteCount);
    this.#byteCount += bytes.length;
    this.#frameCount += 1;
    return row;
  }

  build(): StoreBatch {
    return {
      records: this.#records,
      frames: this.#frames.slice(0, this.#frameCount * FRAME_FIELDS),
      bytes: this.#bytes.slice(0, this.#byteCount),
    };
  }
}

function roomFor<T extends Uint8Array | Uint32Array>(array: T, length: number, create: (size: number) => T): T {
  if (length <= array.length) return array;
  const grown = create(Math.max(length, 2 * array.length));
  grown.set(array);
  return grown;
}
