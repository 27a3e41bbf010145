import { FrameError } from "./errors.ts";
import { MAX_FRAME_BYTES } from "./frame-layout.ts";

/** Ends every frame on a serial line, and stands nowhere inside one. A sender puts one on a line that it opens. */
export const SERIAL_DELIMITER = 0;
/** A code byte says how far the next zero is, itself included; this one says that 254 bytes follow and no zero. */
const FULL_CODE = 0xff;
const CRC_BYTES = 2;
const CRC_START = 0xffff;
/** What is sent is the complement, so that zeros added behind a frame do not pass. */
const CRC_COMPLEMENT = 0xffff;
/** Longest piece between two zeros that can hold a frame. */
const MAX_PIECE_BYTES = stuffedBytesMax(MAX_FRAME_BYTES + CRC_BYTES);
const FIRST_BUFFER_BYTES = 256;

/**
 * Why a piece of a serial line was left out: its code bytes point past its end, it is shorter than any frame, longer than
 * any, or its checksum differs.
 */
export type SerialDamage = "cut-short" | "too-short" | "too-long" | "bad-checksum";

/**
 * One frame for a serial line: its bytes and their checksum stuffed so that no zero is left, and a zero at the end.
 *
 *     COBS( frame ‖ CRC-16, big-endian ) ‖ 00
 *
 * @param frameBytes  1 … 65,535 bytes; copied
 * @throws {FrameError} `out-of-range` when empty, `too-large` beyond 65,535 bytes
 * @see protocol/SPEC.md, section 5.1
 * @see Cheshire and Baker 1999, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7(2)
 */
export function encodeSerialFrame(frameBytes: Uint8Array): Uint8Array {
  if (frameBytes.length === 0) throw new FrameError("out-of-range", { offset: 0, field: "serial frame", have: 0 });
  if (frameBytes.length > MAX_FRAME_BYTES) {
    throw new FrameError("too-large", { offset: 0, have: frameBytes.length, limit: MAX_FRAME_BYTES });
  }
  const crc = crc16(frameBytes);
  const checked = new Uint8Array(frameBytes.length + CRC_BYTES);
  checked.set(frameBytes);
  checked.set([crc >> 8, crc & 0xff], frameBytes.length);
  const line = new Uint8Array(stuffedBytesMax(checked.length) + 1);
  let codeAt = 0;
  let at = 1;
  for (const [i, byte] of checked.entries()) {
    if (byte !== SERIAL_DELIMITER) line[at++] = byte;
    const isFull = at - codeAt === FULL_CODE && i < checked.length - 1;
    if (byte !== SERIAL_DELIMITER && !isFull) continue;
    line[codeAt] = at - codeAt;
    codeAt = at++;
  }
  line[codeAt] = at - codeAt;
  return line.subarray(0, at + 1);
}

/**
 * Finds the frames on a serial line, however it is cut into chunks. What is damaged, and whatever else speaks on the
 * line, is left out up to the next zero and counted; its memory is bounded by the longest frame. One per direction.
 */
export class SerialDeframer {
  readonly #damaged: Record<SerialDamage, number> = {
    "cut-short": 0,
    "too-short": 0,
    "too-long": 0,
    "bad-checksum": 0,
  };
  /** The piece that has begun: bytes since the last zero. */
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #pendingBytes = 0;
  #isTooLong = false;

  /** Pieces left out so far, by reason. */
  get damaged(): Readonly<Record<SerialDamage, number>> {
    return this.#damaged;
  }

  /** Bytes kept of a piece that has not ended yet, at most 65,796. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Take the next bytes of the line.
   *
   * @param chunk  any number of bytes; copied
   * @returns the whole frames that end in them, in order; the caller's to keep
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    for (let end = chunk.indexOf(SERIAL_DELIMITER); end >= 0; end = chunk.indexOf(SERIAL_DELIMITER, at)) {
      this.#keep(chunk.subarray(at, end));
      const frame = this.#endPiece();
      if (frame !== undefined) frames.push(frame);
      at = end + 1;
    }
    this.#keep(chunk.subarray(at));
    return frames;
  }

  #endPiece(): Uint8Array | undefined {
    const piece = this.#buffer.subarray(0, this.#pendingBytes);
    const isTooLong = this.#isTooLong;
    this.#pendingBytes = 0;
    this.#isTooLong = false;
    // Zeros may follow each other: a sender puts one before its first frame.
    if (piece.length === 0 && !isTooLong) return undefined;
    const found = isTooLong ? "too-long" : unframe(piece);
    if (typeof found !== "string") return found;
    this.#damaged[found] += 1;
    return undefined;
  }

  #keep(more: Uint8Array): void {
    if (this.#isTooLong) return;
    const need = this.#pendingBytes + more.length;
    if (need > MAX_PIECE_BYTES) {
      this.#isTooLong = true;
      this.#pendingBytes = 0;
      this.#buffer = new Uint8Array(FIRST_BUFFER_BYTES);
      return;
    }
    if (need > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(MAX_PIECE_BYTES, Math.max(need, 2 * this.#buffer.length)));
      grown.set(this.#buffer.subarray(0, this.#pendingBytes));
      this.#buffer = grown;
    }
    this.#buffer.set(more, this.#pendingBytes);
    this.#pendingBytes = need;
  }
}

/** @param piece  without zeros, not empty */
function unframe(piece: Uint8Array): Uint8Array | SerialDamage {
  const checked = new Uint8Array(piece.length);
  let length = 0;
  for (let at = 0; at < piece.length; ) {
    const code = piece[at] ?? 0;
    const next = at + code;
    if (next > piece.length) return "cut-short";
    checked.set(piece.subarray(at + 1, next), length);
    // The zero that a code stands for is there already.
    length += code < FULL_CODE && next < piece.length ? code : code - 1;
    at = next;
  }
  const frame = checked.subarray(0, Math.max(0, length - CRC_BYTES));
  if (frame.length === 0) return "too-short";
  if (frame.length > MAX_FRAME_BYTES) return "too-long";
  const [high = 0, low = 0] = checked.subarray(frame.length);
  return crc16(frame) === 256 * high + low ? frame : "bad-checksum";
}

/** Bytes that so many can become, without the zero at the end. */
function stuffedBytesMax(bytes: number): number {
  return bytes + Math.ceil(bytes / (FULL_CODE - 1));
}

/** CRC-16/GENIBUS: x¹⁶ + x¹² + x⁵ + 1, from all ones, complemented; eight steps of the division at once. */
function crc16(bytes: Uint8Array): number {
  let crc = CRC_START;
  for (const byte of bytes) {
    let x = (crc >> 8) ^ byte;
    x ^= x >> 4;
    crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
  }
  return crc ^ CRC_COMPLEMENT;
}
