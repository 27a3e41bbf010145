import { GradientError } from "./gradient-error.ts";
import { type GradientTensor, layoutCount } from "./gradient-layout.ts";
import type { GradientMethod, MethodState } from "./method.ts";

/** Every number as it is, in little endian: what all other methods are measured against. */
export class FloatMethod implements GradientMethod {
  readonly localSteps = 1;
  readonly beta1 = undefined;
  readonly unsentStays = undefined;
  readonly #count: number;

  constructor(layout: readonly GradientTensor[]) {
    this.#count = layoutCount(layout);
  }

  contribution(_step: number, numbers: Float32Array): Uint8Array {
    const bytes = new Uint8Array(4 * numbers.length);
    const view = new DataView(bytes.buffer);
    for (const [at, x] of numbers.entries()) view.setFloat32(4 * at, x, true);
    return bytes;
  }

  average(_step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void {
    out.fill(0);
    let given = 0;
    for (const bytes of contributions) {
      if (bytes === undefined) continue;
      this.#add(bytes, out);
      given += 1;
    }
    const share = 1 / Math.max(1, given);
    for (let at = 0; at < out.length; at += 1) out[at] = (out[at] ?? 0) * share;
  }

  states(): readonly MethodState[] {
    return [];
  }

  #add(bytes: Uint8Array, out: Float32Array): void {
    if (bytes.length !== 4 * this.#count) {
      const problem = `${bytes.length} bytes for ${this.#count} numbers`;
      throw new GradientError("other-layout", problem, "let workers of one release train one model together");
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = 0; at < out.length; at += 1) out[at] = (out[at] ?? 0) + view.getFloat32(4 * at, true);
  }
}
