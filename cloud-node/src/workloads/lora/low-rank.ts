import type { ProgramBuilder } from "../../tensor/program-builder.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { type ParameterSpec, parameterSpecs } from "../language-model/parameters.ts";
import type { RowPlan } from "../language-model/transformer-program.ts";
import { type TargetModule, targetOf } from "./llama-names.ts";

/** The two factors of what is added to a matrix W (outputs, inputs): scale · up · down. */
export interface LowRankPair {
  /** Shape (rank, inputs): PEFT's `lora_A`. */
  readonly down: Float32Array;
  /** Shape (outputs, rank): PEFT's `lora_B`. */
  readonly up: Float32Array;
}

/** What a model was taught, beside its weights. */
export interface Adapter {
  readonly rank: number;
  readonly alpha: number;
  /** Whether up · down is scaled by alpha / √rank, and not by alpha / rank. @see Kalajdzievski 2023, "rsLoRA" */
  readonly isRankStabilized: boolean;
  /** Share of what goes into `down` that was left out while it learned. */
  readonly dropout: number;
  readonly targets: readonly TargetModule[];
  /** Name or folder of the model that it belongs to. */
  readonly base: string;
  /** By the name that `language-model` has for W. */
  readonly pairs: ReadonlyMap<string, LowRankPair>;
}

/** How a program has low-rank maps beside a model's own. */
export interface LowRankPlan {
  readonly rank: number;
  readonly scale: number;
  readonly dropout: number;
  readonly targets: readonly TargetModule[];
}

/** What up · down is multiplied by. */
export function scaleOf({ alpha, rank, isRankStabilized }: Omit<Adapter, "pairs">): number {
  return alpha / (isRankStabilized ? Math.sqrt(rank) : rank);
}

/** The matrices of a model that are adapted, in the order in which it uses them. */
export function adaptedMatrices(config: ModelConfig, targets: readonly TargetModule[]): ParameterSpec[] {
  return parameterSpecs(config).filter(({ name }) => targets.some((target) => target === targetOf(name)));
}

/** Names of a pair's parameters in a program. @param prefix  tells adapters of one program apart */
export function pairNames(weight: string, prefix = ""): { readonly down: string; readonly up: string } {
  return { down: `${prefix}${weight}.lora_A`, up: `${prefix}${weight}.lora_B` };
}

/**
 * Record W x + scale · up · (down · dropout(x)) for every adapted W; the pairs are trained.
 *
 * @param prefix  of the pairs' names, where a program has several adapters
 * @see Hu et al. 2021, "LoRA: Low-rank adaptation of large language models", section 4.1
 */
export function recordLowRank(
  builder: ProgramBuilder,
  config: ModelConfig,
  { rank, scale, dropout: rate, targets }: LowRankPlan,
  prefix = "",
): NonNullable<RowPlan["adapt"]> {
  const pairs = new Map(
    adaptedMatrices(config, targets).map(({ name, shape: [outputs = 0, inputs = 0] }) => {
      const { down, up } = pairNames(name, prefix);
      return [name, { down: builder.parameter(down, [rank, inputs]), up: builder.parameter(up, [outputs, rank]) }];
    }),
  );
  return (weight, x, out) => {
    const pair = pairs.get(weight);
    if (pair === undefined) return out;
    const seen = rate === 0 ? x : builder.dropout(x, { name: `${weight}.lora_dropout`, rate });
    const inner = builder.matmul(seen, pair.down, { transposed: true });
    const scaled = scale === 1 ? inner : builder.scale(inner, scale);
    return builder.matmul(scaled, pair.up, { transposed: true, residual: out });
  };
}
