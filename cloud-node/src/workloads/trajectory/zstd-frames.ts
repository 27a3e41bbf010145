import { TrajectoryError } from "./trajectory-error.ts";

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Bytes of a dictionary's id, and of the content's size, by their flags. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const SIZE_BYTES = [0, 2, 4, 8] as const;
const BLOCK_RUN = 1;
const BLOCK_RESERVED = 3;

/**
 * The frames of a zstd stream, one at a time: Node's decompressor takes a single frame, and drops what follows it
 * without a word.
 *
 * @see RFC 8878, section 3.1
 */
export class ZstdFrames {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #file: string;
  #bytes: Uint8Array = Buffer.alloc(0);

  /** @param file  its name in messages */
  constructor(source: AsyncIterable<Uint8Array>, file: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#file = file;
  }

  /** Whether anything is left. */
  async hasMore(): Promise<boolean> {
    return (await this.#atLeast(1)) > 0;
  }

  /**
   * The bytes of the next frame. It ends early where the stream does.
   *
   * @throws {TrajectoryError} `bad-compression` where there is no frame
   */
  async *frame(): AsyncGenerator<Uint8Array> {
    if ((await this.#atLeast(8)) < 8) {
      yield this.#take(this.#bytes.length);
      return;
    }
    const head = this.#view();
    const magic = head.getUint32(0, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) yield* this.#pass(8 + head.getUint32(4, true));
    else if (magic === MAGIC) yield* this.#blocks(head.getUint8(4));
    else throw this.#damage("what follows a frame is none");
  }

  /** Close the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async *#blocks(flags: number): AsyncGenerator<Uint8Array> {
    const isSingle = (flags & 0x20) !== 0;
    const sizeFlag = flags >> 6;
    const sizeBytes = isSingle && sizeFlag === 0 ? 1 : (SIZE_BYTES[sizeFlag] ?? 0);
    yield* this.#pass(5 + (isSingle ? 0 : 1) + (DICTIONARY_BYTES[flags & 3] ?? 0) + sizeBytes);
    for (let isLast = false; !isLast; ) {
      if ((await this.#atLeast(3)) < 3) {
        yield this.#take(this.#bytes.length);
        return;
      }
      const [low = 0, middle = 0, high = 0] = this.#bytes;
      const head = low | (middle << 8) | (high << 16);
      const kind = (head >> 1) & 3;
      if (kind === BLOCK_RESERVED) throw this.#damage("a block is of no kind");
      isLast = (head & 1) === 1;
      yield* this.#pass(3 + (kind === BLOCK_RUN ? 1 : head >> 3));
    }
    if ((flags & 4) !== 0) yield* this.#pass(4);
  }

  async *#pass(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      if ((await this.#atLeast(1)) === 0) return;
      const part = this.#take(Math.min(left, this.#bytes.length));
      left -= part.length;
      yield part;
    }
  }

  /** Read until so many bytes are at hand, or there are no more. @returns how many are */
  async #atLeast(count: number): Promise<number> {
    while (this.#bytes.length < count) {
      const next = await this.#source.next();
      if (next.done) break;
      this.#bytes = this.#bytes.length === 0 ? next.value : Buffer.concat([this.#bytes, next.value]);
    }
    return this.#bytes.length;
  }

  #take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }

  #damage(problem: string): TrajectoryError {
    const remedy = "copy the file again, or keep the frames before the damage";
    return new TrajectoryError("bad-compression", `its zstd data is damaged (${problem})`, remedy, {
      file: this.#file,
    });
  }
}
