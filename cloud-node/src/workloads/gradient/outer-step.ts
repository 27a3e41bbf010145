/** How the average way of all workers becomes the common parameters' way. */
export interface OuterOptions {
  /** Of the average way; more than 1 goes on where workers stopped: averaging made them surer. */
  readonly rate: number;
  /** Nesterov's, over rounds; 0: none. */
  readonly momentum: number;
}

/** The step from round to round, as DiLoCo makes it. @see Douillard et al. 2023, "DiLoCo", algorithm 1 */
export class OuterStep {
  /** Running sum of ways, shape (N); empty without momentum. */
  readonly velocity: Float32Array;
  readonly #options: OuterOptions;

  constructor(count: number, options: OuterOptions) {
    this.#options = options;
    this.velocity = new Float32Array(options.momentum === 0 ? 0 : count);
  }

  /** @param way  average of all workers', shape (N); becomes what the common parameters change by */
  apply(way: Float32Array): void {
    const { rate, momentum } = this.#options;
    const { velocity } = this;
    for (let at = 0; at < velocity.length; at += 1) {
      const fast = momentum * (velocity[at] ?? 0) + (way[at] ?? 0);
      velocity[at] = fast;
      way[at] = (way[at] ?? 0) + momentum * fast;
    }
    if (rate !== 1) for (let at = 0; at < way.length; at += 1) way[at] = rate * (way[at] ?? 0);
  }
}
