/** Between frames on the line, and nowhere inside one. */
const DELIMITER = 0;
/** A code byte says how many bytes there are to the next zero, itself included; this one says that none follows. */
const FULL_CODE = 0xff;
const CRC_BYTES = 2;
const CRC_POLYNOMIAL = 0x1021;

/**
 * One frame for a serial line: its bytes and their checksum without any zero, and a zero at the end.
 *
 *     COBS( frame ‖ CRC-16, big-endian ) ‖ 00
 *
 * @param frameBytes  any number of bytes; copied
 * @see Cheshire and Baker 1999, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7(2)
 */
export function encodeSerialFrame(frameBytes: Uint8Array): Uint8Array {
  const crc = crc16(frameBytes);
  const checked = concat(frameBytes, Uint8Array.of(crc >> 8, crc & 0xff));
  return concat(cobsEncode(checked), Uint8Array.of(DELIMITER));
}

/** Finds the frames on a serial line, however they are cut into chunks; what is damaged is left out. One per direction. */
export class SerialDeframer {
  #pending: Uint8Array = new Uint8Array(0);

  /** Take the next bytes. @returns the whole frames that end in them, in order */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let rest = concat(this.#pending, chunk);
    for (let end = rest.indexOf(DELIMITER); end >= 0; end = rest.indexOf(DELIMITER)) {
      const frame = unframe(rest.subarray(0, end));
      if (frame !== undefined) frames.push(frame);
      rest = rest.subarray(end + 1);
    }
    this.#pending = rest.slice();
    return frames;
  }
}

/** Bytes without zeros: a code byte before every run of up to 254 others. */
export function cobsEncode(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + Math.floor(bytes.length / (FULL_CODE - 1)) + 1);
  let codeAt = 0;
  let at = 1;
  for (const [i, byte] of bytes.entries()) {
    if (byte !== DELIMITER) out[at++] = byte;
    const isFull = at - codeAt === FULL_CODE && i < bytes.length - 1;
    if (byte !== DELIMITER && !isFull) continue;
    out[codeAt] = at - codeAt;
    codeAt = at++;
  }
  out[codeAt] = at - codeAt;
  return out.subarray(0, at);
}

/** @returns nothing when no encoder makes these bytes */
export function cobsDecode(bytes: Uint8Array): Uint8Array | undefined {
  const out: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at] ?? 0;
    if (code === DELIMITER || at + code > bytes.length) return undefined;
    out.push(...bytes.subarray(at + 1, at + code));
    at += code;
    if (code < FULL_CODE && at < bytes.length) out.push(DELIMITER);
  }
  return Uint8Array.from(out);
}

/** CRC-16 of CCITT: x¹⁶ + x¹² + x⁵ + 1, from all ones. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : CRC_POLYNOMIAL)) & 0xffff;
  }
  return crc;
}

function unframe(stuffed: Uint8Array): Uint8Array | undefined {
  const checked = cobsDecode(stuffed);
  if (checked === undefined || checked.length <= CRC_BYTES) return undefined;
  const frame = checked.subarray(0, -CRC_BYTES);
  const [high = 0, low = 0] = checked.subarray(-CRC_BYTES);
  return crc16(frame) === 256 * high + low ? frame : undefined;
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
