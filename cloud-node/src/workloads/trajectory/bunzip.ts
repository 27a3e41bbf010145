import { BitSource, OutOfBits } from "./bit-source.ts";
import { decodeBlock } from "./bunzip-block.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** No compressed block of 900,000 bytes is as long as this: with so much at hand, one can be decoded in one go. */
const ENOUGH_BYTES = 1 << 20;
const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
const HEAD_BYTES = 4;
const BLOCK_UNIT = 100_000;

/**
 * bzip2 in, plain bytes out, block by block; streams one after the other are one text.
 *
 * Memory: a block and its tables, 10 MB at most. Blocks of bzip2 before 0.9.5 that were "randomised" are refused.
 *
 * @see J. Seward, bzip2 and libbzip2 1.0.8, manual and sources
 */
export class Bunzip {
  readonly #file: string;
  #bytes = Buffer.alloc(0);
  #bit = 0;
  /** Offset in the file of `#bytes[0]`. */
  #base = 0;
  /** Bytes of a block at most; 0 between streams. */
  #blockBytes = 0;
  #digest = 0;
  #isDone = false;

  /** @param file  its name in messages */
  constructor(file: string) {
    this.#file = file;
  }

  /** @throws {TrajectoryError} `bad-compression` at the first block that is damaged; every block before it is out */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#bit >> 3), bytes]);
    this.#base += this.#bit >> 3;
    this.#bit &= 7;
    while (this.#bytes.length - (this.#bit >> 3) > ENOUGH_BYTES && !this.#isDone) yield* this.#step();
  }

  /** That was all. @throws {TrajectoryError} as `push`; `truncated` */
  *finish(): Generator<Uint8Array> {
    while (!this.#isDone && (this.#blockBytes > 0 || this.#bit >> 3 < this.#bytes.length)) yield* this.#step();
  }

  *#step(): Generator<Uint8Array> {
    const bits = new BitSource(this.#bytes, this.#bit);
    try {
      if (this.#blockBytes === 0) this.#begin(bits);
      else {
        const block = this.#block(bits);
        if (block !== undefined) yield block;
      }
    } catch (error) {
      if (!(error instanceof OutOfBits)) throw error;
      throw this.#error("truncated", "its bzip2 data ends too early", "copy the file again, or keep the frames before");
    }
  }

  #begin(bits: BitSource): void {
    const isFirst = this.#base + this.#bit === 0;
    if (!isFirst && this.#bytes.length - (this.#bit >> 3) < HEAD_BYTES) {
      this.#isDone = true;
      return;
    }
    const level = bits.take(24) === 0x425a68 ? bits.take(8) - 0x30 : 0;
    if (level >= 1 && level <= 9) {
      this.#blockBytes = level * BLOCK_UNIT;
      this.#digest = 0;
    } else if (isFirst) {
      throw this.#damage("the head");
    } else {
      // Whatever stands behind the last stream (zeros of a tape, a signature) is not bzip2's.
      this.#isDone = true;
    }
    this.#bit = bits.position;
  }

  #block(bits: BitSource): Uint8Array | undefined {
    const magic = bits.take(24) * 2 ** 24 + bits.take(24);
    const digest = bits.take(32);
    if (magic === END_MAGIC) {
      if (digest !== this.#digest) throw this.#damage("the digest of all blocks");
      this.#blockBytes = 0;
      this.#bit = (bits.position + 7) & ~7;
      return undefined;
    }
    if (magic !== BLOCK_MAGIC) throw this.#damage("the head of a block");
    const block = decodeBlock(bits, this.#blockBytes);
    if (block === undefined) throw this.#damage("a block");
    if (digestOf(block) !== digest) throw this.#damage("the digest of a block");
    this.#digest = ((this.#digest << 1) | (this.#digest >>> 31)) ^ digest;
    this.#digest >>>= 0;
    this.#bit = bits.position;
    return block;
  }

  #damage(what: string): TrajectoryError {
    const remedy = "copy the file again, or keep the frames before the damage";
    return this.#error("bad-compression", `its bzip2 data is damaged: ${what} is wrong`, remedy);
  }

  #error(code: "truncated" | "bad-compression", problem: string, remedy: string): TrajectoryError {
    return new TrajectoryError(code, problem, remedy, { file: this.#file, byte: this.#base + (this.#bit >> 3) });
  }
}

/** CRC-32 with the bits of a byte from the top down, as bzip2 has it. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

function digestOf(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ (bytes[i] ?? 0)] ?? 0);
  return ~crc >>> 0;
}
