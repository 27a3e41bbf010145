import { RandomStream } from "../../tensor/random.ts";

/** Every example once in each round, in an order that follows from the seed and the round. */
export class ExampleOrder {
  readonly #count: number;
  readonly #seed: number;
  #round = -1;
  #places = new Int32Array();

  constructor(count: number, seed: number) {
    this.#count = count;
    this.#seed = seed;
  }

  /** Which example is the n-th of a run. @param n  0 … */
  at(n: number): number {
    const round = Math.floor(n / this.#count);
    if (round !== this.#round) this.#shuffle(round);
    return this.#places[n % this.#count] as number;
  }

  /** @see Fisher and Yates 1938, as Durstenfeld wrote it in 1964 */
  #shuffle(round: number): void {
    const places = Int32Array.from({ length: this.#count }, (_, place) => place);
    const stream = new RandomStream(this.#seed, `order of round ${round}`);
    for (let last = places.length - 1; last > 0; last -= 1) {
      const other = stream.nextBelow(last + 1);
      [places[last], places[other]] = [places[other] as number, places[last] as number];
    }
    this.#places = places;
    this.#round = round;
  }
}
