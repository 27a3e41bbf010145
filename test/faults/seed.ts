import { type SeededRandom, seededRandom } from "@lockstep/sim";

/** Of all random choices in this folder; the same number of the environment repeats a run. */
export const SEED = Number(process.env.LOCKSTEP_SEED ?? 20_261);

/** A generator for one test, and a line that says how to repeat it. */
export function seededFor(purpose: string): SeededRandom {
  process.stdout.write(`faults, ${purpose}: LOCKSTEP_SEED=${SEED}\n`);
  return seededRandom(SEED).fork(purpose);
}
