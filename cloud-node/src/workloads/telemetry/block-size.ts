import { MAX_BLOCK_SAMPLES } from "./container-format.ts";

/** What damage to a block takes with it, about; the 20 bytes or so around a block are then a hundredth of it. */
const AIM_BYTES = 2_048;
const FIRST_SAMPLES = 1_024;
const FEWEST_SAMPLES = 256;
/** One quiet block must not make the next one long. */
const GROWTH_LIMIT = 4;

/** How many samples the next block takes, from what the last one came to. */
export class BlockSize {
  #samples = FIRST_SAMPLES;

  get samples(): number {
    return this.#samples;
  }

  /** A block of so many samples came to so many bytes, > 0. */
  came(samples: number, bytes: number): void {
    const wanted = Math.min(Math.round((samples * AIM_BYTES) / bytes), GROWTH_LIMIT * samples);
    this.#samples = Math.min(Math.max(wanted, FEWEST_SAMPLES), MAX_BLOCK_SAMPLES);
  }
}
