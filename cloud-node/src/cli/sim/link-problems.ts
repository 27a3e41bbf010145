/** Tells what keeps devices from their node: once for all that have the same problem, and once when the last one is back. */
export class LinkProblems {
  readonly #tell: (text: string) => void;
  readonly #problems = new Map<string, string>();

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** What keeps this device from its node now. */
  of(id: string): string | undefined {
    return this.#problems.get(id);
  }

  /** A device cannot reach its node, or no longer. */
  add(id: string, problem: string): void {
    const isKnown = [...this.#problems.values()].includes(problem);
    this.#problems.set(id, problem);
    if (!isKnown) this.#tell(`${id}: ${problem}`);
  }

  /** It does again. */
  remove(id: string): void {
    if (!this.#problems.delete(id) || this.#problems.size > 0) return;
    this.#tell(`${id}: connected again`);
  }
}
