/** A set of sample numbers kept as ranges [from, to), ascending and apart; long runs cost two numbers. */
export class SampleRanges {
  readonly #ranges: { from: number; to: number }[] = [];

  /** Add [from, to); mostly at the end, where it costs nothing to find the place. */
  add(from: number, to: number): void {
    if (to <= from) return;
    const ranges = this.#ranges;
    let at = ranges.length;
    while (at > 0 && (ranges[at - 1]?.to ?? 0) >= from) at -= 1;
    let end = at;
    let merged = { from, to };
    for (let next = ranges[end]; next !== undefined && next.from <= to; next = ranges[end]) {
      merged = { from: Math.min(merged.from, next.from), to: Math.max(merged.to, next.to) };
      end += 1;
    }
    ranges.splice(at, end - at, merged);
  }

  get count(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  has(sample: number): boolean {
    return this.#ranges.some(({ from, to }) => sample >= from && sample < to);
  }

  *[Symbol.iterator](): Generator<{ readonly from: number; readonly to: number }> {
    yield* this.#ranges;
  }
}
