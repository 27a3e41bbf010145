/** Scale and term of a vector, beside its code. */
export const SIDE_BYTES = 4;

/** What a vector may cost, as it was promised: code and side data. */
export function promisedBytes(d: number): number[] {
  return d === 784 ? [66, 108] : [40, 72, 136].map((bytes) => Math.round((bytes * d) / 128));
}

/** Codes of product quantisers: as many bytes as parts, so that they divide the dimensions. */
export function pqBytes(d: number): number[] {
  return d === 784 ? [56, 98] : [d / 4, d / 2];
}

/** What ours costs where it is held against a product quantiser: never more than that. */
export function equalBytes(d: number): number[] {
  return pqBytes(d);
}

/** Where the quantiser's next size down is the nearest: 34 bytes against 32. */
export function smallBytes(d: number): number {
  return d / 4 + 2;
}
