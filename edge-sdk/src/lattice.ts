/** Readings kept for the search; when there are more, every second one goes. */
const KEPT = 2048;
/** The smallest gap between readings may be this many spacings. */
const GAP_SPACINGS = 16;
/** A spacing must be this many times what a reading may be off, or chance would fit anything. */
const SPACING_OVER_ROUNDING = 16;
/** Bits of evidence that readings on a lattice are not there by chance. */
const EVIDENCE_BITS = 64;

/**
 * Finds the spacing of the values that a channel can take, such as 0.005 of a converter's steps, from its readings:
 * give it to `planChannel` as `lattice` and codes need not tell apart what cannot occur. What it finds is a claim about
 * a sample of the readings; an encoder refuses a sample that is off the lattice.
 */
export class LatticeScan {
  #kept: number[] = [];
  #stride = 1;
  #seen = 0;

  /** Look at one reading; NaN is none. */
  add(value: number): void {
    if (Number.isNaN(value) || this.#seen++ % this.#stride !== 0) return;
    this.#kept.push(value);
    if (this.#kept.length < KEPT) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /**
   * The largest spacing s such that every kept reading is within `rounding` of a whole multiple of s.
   *
   * @param rounding  how far a reading may be from its lattice point, in the channel's unit; where it is not above 0, there is no telling
   * @returns the shortest decimal number that fits, or undefined where no lattice is beyond chance
   */
  spacing(rounding: number): number | undefined {
    if (!(rounding > 0)) return undefined;
    const sorted = [...new Set(this.#kept)].sort(ascending);
    // The same point may have been rounded to two readings
    const points = sorted.filter((value, i) => i === 0 || value - (sorted[i - 1] ?? value) > 4 * rounding);
    if (points.length < 2) return undefined;
    const differences = differencesOf(points);
    const gap = differences[0] ?? 0;
    for (let parts = 1; parts <= GAP_SPACINGS; parts++) {
      const rough = gap / parts;
      if (!(rough >= SPACING_OVER_ROUNDING * rounding)) return undefined;
      const fromGaps = narrow(differences, { low: rough - 2 * rounding, high: rough + 2 * rounding }, 2 * rounding);
      const range = fromGaps && narrow(sorted.map(Math.abs).sort(ascending), fromGaps, rounding);
      if (range === undefined) continue;
      const evidence = (points.length - 1) * Math.log2(rough / (4 * rounding));
      return evidence >= EVIDENCE_BITS ? shortestWithin(range.low, range.high) : undefined;
    }
    return undefined;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Differences of points 1, 2, 4, 8 … places apart, smallest first: each scale narrows what the next one may be. */
function differencesOf(points: readonly number[]): number[] {
  const differences: number[] = [];
  for (let apart = 1; apart < points.length; apart *= 2) {
    for (let i = apart; i < points.length; i++) differences.push((points[i] ?? 0) - (points[i - apart] ?? 0));
  }
  return differences.sort(ascending);
}

interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Spacings within `range` of which every value, smallest first, is a whole multiple, give or take `slack`; undefined where there is none,
 * or where it is open which multiple a value is.
 */
function narrow(values: readonly number[], range: Interval, slack: number): Interval | undefined {
  let { low, high } = range;
  for (const value of values) {
    const multiple = Math.round((2 * value) / (low + high));
    if (multiple === 0) {
      if (value > slack) return undefined;
      continue;
    }
    if ((high - low) * multiple > (low + high) / 4) return undefined;
    low = Math.max(low, (value - slack) / multiple);
    high = Math.min(high, (value + slack) / multiple);
    if (low > high) return undefined;
  }
  return { low, high };
}

/** The number with the fewest digits between low and high: 0.01 rather than 0.010000000000021. */
export function shortestWithin(low: number, high: number): number {
  const middle = (low + high) / 2;
  for (let digits = 1; digits <= 16; digits++) {
    const rounded = Number(middle.toPrecision(digits));
    if (rounded > low && rounded < high) return rounded;
  }
  return middle;
}
