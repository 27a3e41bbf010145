import type { RobustMean } from "./train-options.ts";

/** What a row counts that is as near as others, under `huber`; under the rest it is 1. */
const FULL_HUBER_WEIGHT = 16;

/** What a row counts at most. */
export function fullWeight(robust: RobustMean | undefined): number {
  return robust?.kind === "huber" ? FULL_HUBER_WEIGHT : 1;
}

/**
 * From where on a row counts less: the squared distance that all but the share of the rows keep within.
 *
 * @returns infinity where every row counts in full
 */
export function robustLimit(distances: ArrayLike<number>, robust: RobustMean | undefined): number {
  return robust === undefined ? Number.POSITIVE_INFINITY : quantileOf(distances, 1 - robust.share);
}

/**
 * What every row counts in the mean of its anchor.
 *
 * `trimmed` leaves out what is farther than the limit; `huber` gives it the weight limit / distance, rounded down.
 *
 * @param distances  squared, shape (k)
 * @param limit  squared, of robustLimit
 * @see Huber 1964, "Robust estimation of a location parameter"
 */
export function robustWeights(
  distances: Int32Array,
  robust: RobustMean | undefined,
  limit: number,
): Uint8Array<ArrayBuffer> {
  const full = fullWeight(robust);
  const weights = new Uint8Array(distances.length).fill(full);
  if (robust === undefined) return weights;
  for (let i = 0; i < weights.length; i++) {
    const distance = distances[i] ?? 0;
    if (distance <= limit) continue;
    weights[i] = robust.kind === "trimmed" ? 0 : Math.floor(full * Math.sqrt(limit / distance));
  }
  return weights;
}

/** The value that a share of all do not exceed. */
export function quantileOf(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
