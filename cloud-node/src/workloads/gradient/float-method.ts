import { GradientError, ofWorker } from "./gradient-error.ts";
import { type GradientTensor, layoutCount } from "./gradient-layout.ts";
import type { GradientMethod, MethodState } from "./method.ts";

/** Every number as it is, in the little endian of all machines that this runs on: what other methods are measured against. */
export class FloatMethod implements GradientMethod {
  readonly localSteps = 1;
  readonly beta1 = undefined;
  readonly unsentStays = undefined;
  readonly #count: number;

  constructor(layout: readonly GradientTensor[]) {
    this.#count = layoutCount(layout);
  }

  contribution(_step: number, numbers: Float32Array): Uint8Array {
    return new Uint8Array(numbers.slice().buffer);
  }

  average(_step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void {
    out.fill(0);
    let given = 0;
    for (const [rank, bytes] of contributions.entries()) {
      if (bytes === undefined) continue;
      ofWorker(rank, () => this.#add(bytes, out));
      given += 1;
    }
    const share = 1 / Math.max(1, given);
    for (let at = 0; at < out.length; at += 1) out[at] = (out[at] as number) * share;
  }

  states(): readonly MethodState[] {
    return [];
  }

  #add(bytes: Uint8Array, out: Float32Array): void {
    if (bytes.length !== 4 * this.#count) {
      const problem = `${bytes.length} bytes for ${this.#count} numbers`;
      throw new GradientError("other-layout", problem, "let workers of one release train one model together");
    }
    // A message may begin at any byte; floats may not.
    const numbers = new Float32Array(bytes.slice().buffer);
    for (let at = 0; at < out.length; at += 1) out[at] = (out[at] as number) + (numbers[at] as number);
  }
}
