/** How often each symbol of a stream came, and what that says about the bits that it needs. */
export class SymbolCounts {
  readonly #counts = new Map<number, number>();
  #total = 0;

  add(symbol: number): void {
    this.#counts.set(symbol, (this.#counts.get(symbol) ?? 0) + 1);
    this.#total += 1;
  }

  get distinct(): number {
    return this.#counts.size;
  }

  /**
   * Order-0 entropy of the counts: −Σ p log2 p with p = count / total, in bits a symbol; 0 of no symbols.
   *
   * It is at most log2(total), and in the mean too small, by about (distinct − 1) / (2 ln 2 total) as long as symbols
   * come more than once each.
   *
   * @see C. E. Shannon, A Mathematical Theory of Communication, 1948, section 6
   * @see G. A. Miller, Note on the bias of information estimates, 1955
   */
  get entropyBits(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count * Math.log2(count);
    return this.#total === 0 ? 0 : Math.log2(this.#total) - sum / this.#total;
  }
}
