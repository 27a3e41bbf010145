/** Growth of less than this is what any process does. */
const LEAST_GROWTH_BYTES = 64 << 20;
/** And so is growth of less than this share. */
const LEAST_GROWTH_SHARE = 0.2;
/** By the second evaluation everything that a run needs was made once. */
const FIRST_STEADY = 1;

/** Whether a run's memory grows while it should not. */
export class MemoryWatch {
  readonly #seen: number[] = [];

  /** @param bytes  resident memory, after an evaluation */
  add(bytes: number): void {
    this.#seen.push(bytes);
  }

  /** Bytes more than when everything had been made once; 0 until then. */
  get growthBytes(): number {
    const steady = this.#seen[FIRST_STEADY];
    return steady === undefined ? 0 : (this.#seen.at(-1) ?? steady) - steady;
  }

  /** Whether that is more than a process does that loses nothing. */
  get isDrifting(): boolean {
    const steady = this.#seen[FIRST_STEADY] ?? 0;
    return this.growthBytes > Math.max(LEAST_GROWTH_BYTES, LEAST_GROWTH_SHARE * steady);
  }
}
