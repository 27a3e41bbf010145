import { GradientError } from "./gradient-error.ts";

/** One tensor of a model, in the order in which its numbers stand. */
export interface LayoutEntry {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Something that a method keeps from step to step; a view of it, to be read and written. */
export interface MethodState {
  readonly name: string;
  readonly values: Float32Array | Uint8Array;
  /** false: the same on all workers. */
  readonly isOwn: boolean;
}

export interface MethodOptions {
  readonly workers: number;
  readonly rank: number;
  readonly steps: number;
  readonly seed: number;
}

/** What stands between a worker's gradient and the wire. */
export interface GradientMethod {
  /** Steps from one round to the next; 1: every gradient is exchanged. */
  readonly localSteps: number;
  /** In place of the recipe's. */
  readonly beta1?: number | undefined;
  /** What this worker sends. @param numbers  shape (count), may be changed: its gradient, or its way since the last round */
  contribution(step: number, numbers: Float32Array): Uint8Array;
  /** What all have sent, by rank, undefined where nothing came, as one. @param out  shape (count), overwritten */
  average(step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void;
  states(): readonly MethodState[];
}

/** Names of methods. */
export const PRESETS = ["none"] as const;
export type Preset = (typeof PRESETS)[number];

/** Every number as it is. */
class Uncompressed implements GradientMethod {
  readonly localSteps = 1;
  readonly #count: number;

  constructor(layout: readonly LayoutEntry[]) {
    this.#count = layout.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  }

  contribution(_step: number, numbers: Float32Array): Uint8Array {
    return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).slice();
  }

  average(_step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void {
    out.fill(0);
    const given = contributions.filter((bytes) => bytes !== undefined);
    for (const bytes of given) {
      if (bytes.length !== 4 * this.#count) {
        const problem = `${bytes.length} bytes for ${this.#count} numbers`;
        throw new GradientError("other-layout", problem, "let workers of one release train one model together");
      }
      const numbers = new Float32Array(bytes.slice().buffer);
      for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + (numbers[i] as number);
    }
    const share = 1 / Math.max(1, given.length);
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) * share;
  }

  states(): readonly MethodState[] {
    return [];
  }
}

/** A method by its name. */
export function createMethod(_preset: Preset, layout: readonly LayoutEntry[], _options: MethodOptions): GradientMethod {
  return new Uncompressed(layout);
}
