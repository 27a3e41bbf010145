/** Totals that only grow, looked at over a sliding window: what was added within it. */
export class SlidingTotals {
  readonly #slotUs: number;
  readonly #slots: number;
  /** Totals at the start of each slot, oldest first. */
  readonly #starts: { readonly slot: number; readonly atUs: number; readonly totals: readonly number[] }[] = [];

  /** @param windowUs  how far back it looks; `slots`: in how many steps it moves on */
  constructor(windowUs: number, slots: number) {
    this.#slotUs = windowUs / slots;
    this.#slots = slots;
  }

  /** Take note of the totals now. */
  record(totals: readonly number[], nowUs: number): void {
    const slot = Math.floor(nowUs / this.#slotUs);
    if (this.#starts.at(-1)?.slot === slot) return;
    // What counts from zero counts from when it was first looked at, or from a moment before.
    const isFirst = this.#starts.length === 0;
    this.#starts.push({ slot, atUs: nowUs, totals: isFirst ? totals.map(() => 0) : [...totals] });
    while ((this.#starts[0]?.slot ?? slot) < slot - this.#slots) this.#starts.shift();
  }

  /** What was added within the window; everything, while that is younger. */
  within(totals: readonly number[]): number[] {
    const start = this.#starts[0]?.totals ?? [];
    return totals.map((total, i) => total - (start[i] ?? 0));
  }

  /** How much time the window covers so far, µs. */
  spanUs(nowUs: number): number {
    return nowUs - (this.#starts[0]?.atUs ?? nowUs);
  }
}
