import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Longer messages get a room of their own. */
const ROOM_BYTES = 8_192;

/** A key, padded for both hashes. */
export interface HmacKey {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}

/**
 * HMAC-SHA256 of frames, each by two hashes at one stroke: an object of `createHmac` for each frame costs several times as
 * much as what it computes. Digests come as strings, a byte a character: a Buffer for each costs as much as its hash.
 *
 * @see RFC 2104, 2
 */
export class FrameHmac {
  readonly #room = Buffer.alloc(BLOCK_BYTES + ROOM_BYTES);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  readonly #code = Buffer.alloc(DIGEST_BYTES);

  /** @param key  at most 64 bytes */
  key(key: Uint8Array): HmacKey {
    const padded = (pad: number) => Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => (key[i] ?? 0) ^ pad);
    return { inner: padded(INNER_PAD), outer: padded(OUTER_PAD) };
  }

  /** The code of a message, 32 bytes, good until the next is asked for. */
  code({ inner, outer }: HmacKey, message: Uint8Array): Buffer {
    const length = BLOCK_BYTES + message.length;
    const room = length <= this.#room.length ? this.#room : Buffer.alloc(length);
    room.set(inner);
    room.set(message, BLOCK_BYTES);
    this.#outer.set(outer);
    this.#outer.write(hash("sha256", room.subarray(0, length), "binary"), BLOCK_BYTES, "latin1");
    this.#code.write(hash("sha256", this.#outer, "binary"), "latin1");
    return this.#code;
  }
}
