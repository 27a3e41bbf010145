import { BitWriter } from "./bits.ts";

const WINDOW_BITS = 8;
const LOOKAHEAD_BITS = 4;
const WINDOW_BYTES = 2 ** WINDOW_BITS;
const MATCH_BYTES_MAX = 2 ** LOOKAHEAD_BITS;
const TAG_LITERAL = 1;
const TAG_MATCH = 0;
/** A match of one byte costs more than the byte. */
const MATCH_BYTES_MIN = 2;

/**
 * What heatshrink makes of bytes at window 8 and lookahead 4: written from its format, to count the bytes of its output.
 * Bytes as they are, 9 bits each, or a match with the last 256, 13 bits; always the longest, the nearest of several. The
 * window starts with zeros.
 *
 * @see Vokes 2013, "heatshrink: an embedded data compression library", its README and decoder
 */
export function heatshrinkEncode(bytes: Uint8Array): Uint8Array {
  const windowed = new Uint8Array(WINDOW_BYTES + bytes.length);
  windowed.set(bytes, WINDOW_BYTES);
  const out = new BitWriter();
  for (let at = WINDOW_BYTES; at < windowed.length; ) {
    const { length, distance } = longestMatch(windowed, at);
    if (length < MATCH_BYTES_MIN) {
      out.write(TAG_LITERAL, 1);
      out.write(windowed[at] ?? 0, 8);
      at++;
    } else {
      out.write(TAG_MATCH, 1);
      out.write(distance - 1, WINDOW_BITS);
      out.write(length - 1, LOOKAHEAD_BITS);
      at += length;
    }
  }
  return out.finish();
}

function longestMatch(bytes: Uint8Array, at: number): { length: number; distance: number } {
  const most = Math.min(MATCH_BYTES_MAX, bytes.length - at);
  let best = { length: 0, distance: 0 };
  for (let distance = 1; distance <= WINDOW_BYTES && best.length < most; distance++) {
    let length = 0;
    while (length < most && bytes[at + length] === bytes[at + length - distance]) length++;
    if (length > best.length) best = { length, distance };
  }
  return best;
}
