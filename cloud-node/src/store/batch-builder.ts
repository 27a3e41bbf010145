import { FRAME_FIELDS, FRAME_OPS, type FrameOp, type StoreBatch, type StoreRecord } from "./store.ts";

const FIRST_FRAMES = 64;
const FIRST_BYTES = 4_096;
/** What a record takes beside the bytes in it, about. */
const RECORD_BYTES = 128;

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
    this.#recordBytes += RECORD_BYTES;
    if (record.table === "birth") this.#recordBytes += record.bytes.length;
    if (record.table === "module") this.#recordBytes += record.wasm.length;
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

  /** Whether what this device cost is to be written. */
  counts(device: number | undefined): boolean {
    return this.#records.some((record) => record.table === "traffic" && record.device === device);
  }

  /** The keys of all devices that something is written of; undefined: what is of none. In the order of their numbers. */
  devices(): (number | undefined)[] {
    const found = new Set(this.#records.map(deviceOf));
    for (let at = 1; at < this.#frameCount * FRAME_FIELDS; at += FRAME_FIELDS) found.add(this.#frames[at]);
    return [...found].sort((a, b) => (a ?? -1) - (b ?? -1));
  }

  /**
   * What is written of one device, and which rows of the whole its frames are.
   *
   * @param isCounted  false: without what it cost
   */
  part(device: number | undefined, isCounted = true): { readonly batch: StoreBatch; readonly rows: readonly number[] } {
    const part = new BatchBuilder();
    const rows: number[] = [];
    for (const record of this.#records) {
      if (deviceOf(record) === device && (isCounted || record.table !== "traffic")) part.addRecord(record);
    }
    let offset = 0;
    for (let row = 0; row < this.#frameCount; row++) {
      const [op = 0, own = 0, epoch = 0, seq = 0, length = 0] = this.#frames.subarray(row * FRAME_FIELDS);
      if (own === device) {
        part.addFrame(FRAME_OPS[op] ?? "add", own, epoch, seq, this.#bytes.subarray(offset, offset + length));
        rows.push(row);
      }
      offset += length;
    }
    return { batch: part.build(), rows };
  }

  build(): StoreBatch {
    return {
      records: this.#records,
      frames: this.#frames.slice(0, this.#frameCount * FRAME_FIELDS),
      bytes: this.#bytes.slice(0, this.#byteCount),
    };
  }
}

/** The key of the device that a record is of; undefined for what is of none. */
export function deviceOf(record: StoreRecord): number | undefined {
  if (record.table === "module") return undefined;
  return record.table === "device" ? record.key : record.device;
}

function roomFor<T extends Uint8Array | Uint32Array>(array: T, length: number, create: (size: number) => T): T {
  if (length <= array.length) return array;
  const grown = create(Math.max(length, 2 * array.length));
  grown.set(array);
  return grown;
}
