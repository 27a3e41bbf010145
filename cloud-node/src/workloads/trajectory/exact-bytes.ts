import { deflateRawSync, inflateRawSync } from "node:zlib";

/**
 * Values kept bit for bit: each frame by the bits that changed since the frame before, bytes of the same significance
 * together, deflated. Numbers that stay the same take nothing.
 *
 * @param frames  bytes of each frame's values, all of the same length
 * @param elementBytes  4 or 8
 */
export function encodeExact(frames: readonly Uint8Array[], elementBytes: number): Uint8Array<ArrayBuffer> {
  const size = frames[0]?.length ?? 0;
  const elements = size / elementBytes;
  const out = new Uint8Array(size * frames.length);
  for (const [t, frame] of frames.entries()) {
    const before = frames[t - 1];
    for (let byte = 0; byte < elementBytes; byte++) {
      const place = t * size + byte * elements;
      for (let i = 0, at = byte; i < elements; i++, at += elementBytes) {
        out[place + i] = (frame[at] ?? 0) ^ (before?.[at] ?? 0);
      }
    }
  }
  return new Uint8Array(deflateRawSync(out));
}

/** The way back. @returns undefined where the bytes are not what these frames could have become */
export function decodeExact(
  bytes: Uint8Array,
  frames: number,
  atoms: number,
  elementBytes: number,
): Uint8Array<ArrayBuffer>[] | undefined {
  const size = atoms * elementBytes;
  const planes = inflate(bytes, size * frames);
  if (planes === undefined || planes.length !== size * frames) return undefined;
  const out: Uint8Array<ArrayBuffer>[] = [];
  for (let t = 0; t < frames; t++) {
    const frame = new Uint8Array(size);
    const before = out[t - 1];
    for (let byte = 0; byte < elementBytes; byte++) {
      const place = t * size + byte * atoms;
      for (let i = 0, at = byte; i < atoms; i++, at += elementBytes) {
        frame[at] = (planes[place + i] ?? 0) ^ (before?.[at] ?? 0);
      }
    }
    out.push(frame);
  }
  return out;
}

/** Deflated bytes again. @returns undefined where they are damaged, or more than `most` */
export function inflate(bytes: Uint8Array, most: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(inflateRawSync(bytes, { maxOutputLength: Math.max(1, most) }));
  } catch {
    return undefined;
  }
}
