import { FrameError } from "./errors.ts";
import { MAX_FRAME_BYTES } from "./frame-layout.ts";

/** u16, big-endian, in front of each frame: its length. Bytes. */
export const STREAM_PREFIX_BYTES = 2;

/**
 * Put a frame's length before it, for a byte stream without boundaries of its own (TCP).
 *
 * @param frameBytes  1 … 65,535 bytes; copied
 * @throws {FrameError} `out-of-range` when empty, `too-large` beyond 65,535 bytes
 * @see protocol/SPEC.md, section 5
 */
export function encodeStreamFrame(frameBytes: Uint8Array): Uint8Array {
  if (frameBytes.length === 0) {
    throw emptyFrame();
  }
  if (frameBytes.length > MAX_FRAME_BYTES) {
    throw new FrameError("too-large", { offset: 0, have: frameBytes.length, limit: MAX_FRAME_BYTES });
  }
  const framed = new Uint8Array(STREAM_PREFIX_BYTES + frameBytes.length);
  new DataView(framed.buffer).setUint16(0, frameBytes.length);
  framed.set(frameBytes, STREAM_PREFIX_BYTES);
  return framed;
}

/** Finds the frames of a length-prefixed byte stream, however it is cut into chunks. One per connection. */
export class StreamDeframer {
  /** A frame begun: its prefix and what has come of it. Grows with bytes that came, never by a length that was claimed. */
  #buffer = new Uint8Array(0);
  #pendingBytes = 0;
  #fault: FrameError | undefined;

  /** Bytes of a frame that has not ended yet, its prefix included. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Take the next bytes of the stream.
   *
   * @param chunk  any number of bytes
   * @returns the frames that end in them, in order; each a view of `chunk` or of memory that is the caller's
   * @throws {FrameError} `out-of-range` for a length of 0. The stream cannot be followed from there: close it. Frames
   *   before it in the same chunk are given up with it, and sent again by a peer that was not told they arrived.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#fault !== undefined) {
      throw this.#fault;
    }
    const frames: Uint8Array[] = [];
    let at = this.#finishPending(chunk, frames);
    while (chunk.length - at >= STREAM_PREFIX_BYTES) {
      const end = at + STREAM_PREFIX_BYTES + this.#frameLength(chunk, at);
      if (end > chunk.length) {
        break;
      }
      frames.push(chunk.subarray(at + STREAM_PREFIX_BYTES, end));
      at = end;
    }
    this.#keep(chunk.subarray(at));
    return frames;
  }

  /** Returns how many bytes of `chunk` belong to the frame begun earlier. */
  #finishPending(chunk: Uint8Array, frames: Uint8Array[]): number {
    if (this.#pendingBytes === 0) {
      return 0;
    }
    let taken = 0;
    if (this.#pendingBytes < STREAM_PREFIX_BYTES) {
      taken = this.#keep(chunk.subarray(0, STREAM_PREFIX_BYTES - this.#pendingBytes));
    }
    if (this.#pendingBytes < STREAM_PREFIX_BYTES) {
      return taken;
    }
    const need = STREAM_PREFIX_BYTES + this.#frameLength(this.#buffer, 0);
    taken += this.#keep(chunk.subarray(taken, taken + need - this.#pendingBytes));
    if (this.#pendingBytes === need) {
      frames.push(this.#buffer.subarray(STREAM_PREFIX_BYTES, need));
      this.#buffer = new Uint8Array(0);
      this.#pendingBytes = 0;
    }
    return taken;
  }

  #keep(more: Uint8Array): number {
    const need = this.#pendingBytes + more.length;
    if (need > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(need, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#pendingBytes));
      this.#buffer = grown;
    }
    this.#buffer.set(more, this.#pendingBytes);
    this.#pendingBytes = need;
    return more.length;
  }

  #frameLength(bytes: Uint8Array, at: number): number {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (length === 0) {
      this.#fault = emptyFrame();
      throw this.#fault;
    }
    return length;
  }
}

function emptyFrame(): FrameError {
  return new FrameError("out-of-range", { offset: 0, field: "stream length", have: 0, limit: 1 });
}
