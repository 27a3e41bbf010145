import type { ScheduleConfig } from "./run-config.ts";

/**
 * What of the full rates a step is taken with, 0 … 1.
 *
 * `cosine` is nanoGPT's: a rise over the first steps, then half a wave down to `finalShare`. `trapezoid` is nanochat's:
 * a rise, a level stretch, and a straight way down over the last share of the run.
 *
 * @param step  0 … steps − 1
 * @see A. Karpathy, nanoGPT, `train.py`, `get_lr`; nanochat, `scripts/base_train.py`, `get_lr_multiplier`
 */
export function rateShare({ kind, warmup, warmdown, finalShare }: ScheduleConfig, step: number, steps: number): number {
  // nanoGPT reaches the top one step after its warm-up, nanochat with its last step.
  if (step < warmup) return (step + 1) / (kind === "cosine" ? warmup + 1 : warmup);
  if (kind === "constant") return 1;
  if (kind === "cosine") {
    const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    return finalShare + 0.5 * (1 + Math.cos(Math.PI * progress)) * (1 - finalShare);
  }
  const falling = Math.round(warmdown * steps);
  if (step <= steps - falling) return 1;
  const left = (steps - step) / falling;
  return left + (1 - left) * finalShare;
}

/** Muon's momentum in nanochat: it rises over the first steps, and falls with the rates. */
const MOMENTUM = { first: 0.85, most: 0.97, last: 0.9, riseSteps: 400 };

/** @param step  0 … steps − 1 */
export function muonMomentum({ kind, warmdown }: ScheduleConfig, step: number, steps: number): number {
  const { first, most, last, riseSteps } = MOMENTUM;
  if (step < riseSteps) return first + (step / riseSteps) * (most - first);
  const falling = kind === "trapezoid" ? Math.round(warmdown * steps) : 0;
  if (falling === 0 || step < steps - falling) return most;
  return last + ((steps - step) / falling) * (most - last);
}

/** What of its weight decay Muon has at a step: half a wave down to nothing. */
export function muonDecayShare(step: number, steps: number): number {
  return 0.5 * (1 + Math.cos((Math.PI * step) / steps));
}
