/** What a step of a training takes: of one worker, the mean over all steps. */
export interface StepCost {
  readonly workers: number;
  /** Without what links take. */
  readonly seconds: number;
  /** Bytes, all included. */
  readonly uplink: number;
  readonly downlink: number;
}

/** Lines that a training is looked at over, bytes a second each way. */
export const LINK_SPEEDS = [1e5, 1e6, 1e7, 1e8, 1e9] as const;

/**
 * Seconds of a step where every worker's line has a speed: place 0's carries all contributions in, and then all rounds out.
 * Nothing is computed meanwhile. What else a line takes to answer (latency) is not in it.
 */
export function linkedSeconds(cost: StepCost, bytesPerSecond: number): number {
  return cost.seconds + linkBytes(cost) / bytesPerSecond;
}

/**
 * The speed below which one training's steps are shorter than another's.
 *
 * @returns bytes a second; ∞ where they are shorter at any speed, 0 where at none
 */
export function payingSpeed(cost: StepCost, other: StepCost): number {
  const saved = linkBytes(other) - linkBytes(cost);
  const longer = cost.seconds - other.seconds;
  if (saved <= 0) return 0;
  return longer <= 0 ? Number.POSITIVE_INFINITY : saved / longer;
}

const UNITS = [
  [1e9, "GB/s"],
  [1e6, "MB/s"],
  [1e3, "kB/s"],
] as const;

/** A speed for a person: `2.5 MB/s`. */
export function speedText(bytesPerSecond: number): string {
  const [unit, name] = UNITS.find(([least]) => bytesPerSecond >= least) ?? [1, "B/s"];
  return `${Number((bytesPerSecond / unit).toPrecision(2))} ${name}`;
}

/** What `payingSpeed` gives, for a person. */
export function payingText(bytesPerSecond: number): string {
  if (bytesPerSecond === 0) return "never";
  return bytesPerSecond === Number.POSITIVE_INFINITY ? "always" : speedText(bytesPerSecond);
}

function linkBytes({ workers, uplink, downlink }: StepCost): number {
  return (workers - 1) * (uplink + downlink);
}
