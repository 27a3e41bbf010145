import type { TrainingCore } from "./training-core.ts";

/** Numbers drawn by a seed and a count, from the kernels' own hash. */
export class CounterRandom {
  readonly #core: TrainingCore;
  readonly #seed: number;
  #count = 0;

  /** @param stream  one for each use, so that no two see the same numbers */
  constructor(core: TrainingCore, seed: number, stream: number) {
    this.#core = core;
    this.#seed = core.calls.counterBits(seed, stream) >>> 0;
  }

  /** The number at a place of the stream, u32, whatever was drawn before. */
  at(count: number): number {
    return this.#core.calls.counterBits(this.#seed, count) >>> 0;
  }

  /** The next number, u32. */
  bits(): number {
    return this.at(this.#count++);
  }

  /** 0 ≤ x < 1. */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** Mean 0, standard deviation 1. @see Box and Muller 1958 */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
