import { FloatMethod } from "./float-method.ts";
import { GradientError } from "./gradient-error.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import { PredictiveMethod, type PredictiveOptions } from "./predictive-method.ts";
import type { TopologyMask } from "./topology-mask.ts";

/** Something that a method keeps from step to step: `values` is a view of it, to be read and written at once. */
export interface MethodState {
  readonly name: string;
  readonly values: Float32Array | Uint8Array;
  /** false: the same on all workers. */
  readonly isOwn: boolean;
}

/** Who uses a method. */
export interface MethodOptions {
  readonly workers: number;
  /** 0 … workers − 1. */
  readonly rank: number;
  readonly seed: number;
  /** Tensors that are sent in turns; all are sent in every round without. */
  readonly mask?: TopologyMask | undefined;
}

/** What stands between a worker's gradient and the wire. One for each worker; `average` is called for every round. */
export interface GradientMethod {
  /** Steps from one round to the next; 1: every gradient is exchanged. */
  readonly localSteps: number;
  /**
   * AdamW's momentum beside this method; undefined: the recipe's. Error feedback holds a coordinate back until it is
   * worth sending, which averages it already: with the recipe's momentum on top updates come too late.
   */
  readonly beta1: number | undefined;
  /**
   * Shape (N), live: between rounds a worker goes on from the common parameters minus this, so that what it has not
   * sent is lost to others alone; `numbers` then contain it. Undefined: it goes on from the common ones.
   */
  readonly unsentStays: Float32Array | undefined;
  /**
   * What this worker sends.
   *
   * @param numbers  shape (N): its gradient, or its way since the last round: start − end
   */
  contribution(step: number, numbers: Float32Array): Uint8Array;
  /**
   * What all have sent as one: the same bits on every worker.
   *
   * @param contributions  by rank, undefined where nothing came: the mean is over those that did, and what this worker
   *   sent and is not among them counts as not sent
   * @param out  shape (N), overwritten
   * @throws {GradientError} a message that cannot be read
   */
  average(step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void;
  /** Everything that survives a step. */
  states(): readonly MethodState[];
}

/** Methods by name: `sync-R` sends every gradient in 1/R of float32's bytes, `local-R` with local steps in between. */
const PREDICTIVE = {
  "sync-15": { ratio: 15, localSteps: 1, levels: 63, beta1: 0.5 },
  "sync-50": { ratio: 50, localSteps: 1, levels: 63, beta1: 0.5 },
  "sync-100": { ratio: 100, localSteps: 1, levels: 63, beta1: 0.5 },
  "local-100": { ratio: 100, localSteps: 10, levels: 63, beta1: 0.5, outer: { rate: 1.6, momentum: 0 } },
  "local-1000": { ratio: 1000, localSteps: 20, levels: 63, beta1: 0.5, outer: { rate: 2, momentum: 0 } },
} as const satisfies Readonly<Record<string, PredictiveOptions>>;

export type Preset = "none" | keyof typeof PREDICTIVE;
/** Names of methods; `none` sends float32. */
export const PRESETS: readonly Preset[] = ["none", ...(Object.keys(PREDICTIVE) as (keyof typeof PREDICTIVE)[])];

/** What a preset is made of; nothing of `none`. */
export function presetOptions(preset: Preset): PredictiveOptions | undefined {
  return preset === "none" ? undefined : PREDICTIVE[preset];
}

/**
 * A method by its name.
 *
 * @param layout  the model's tensors, in the order in which their numbers stand
 * @throws {GradientError} `bad-option` for a mask where nothing is compressed
 */
export function createMethod(
  preset: Preset,
  layout: readonly GradientTensor[],
  options: MethodOptions,
): GradientMethod {
  if (preset === "none") {
    if (options.mask === undefined) return new FloatMethod(layout);
    throw new GradientError("bad-option", "a mask with compress=none", "choose a method that compresses");
  }
  return new PredictiveMethod(layout, { ...PREDICTIVE[preset], mask: options.mask }, options);
}
