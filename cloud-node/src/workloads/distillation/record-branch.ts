import type { ProgramBuilder } from "../../tensor/program-builder.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { recordLogits } from "../language-model/transformer-program.ts";
import type { BatchShape } from "../lora/answer-batch.ts";
import { type LowRankPlan, recordLowRank } from "../lora/low-rank.ts";

/** Where a model's hidden numbers are held to a teacher's: behind a layer, by so many coordinates of a token. */
export interface AnchorPlan {
  readonly layer: number;
  /** The teacher's layer that they are held to. */
  readonly of: number;
  readonly components: number;
}

/** One part of a step. */
export interface BranchPlan {
  readonly name: string;
  readonly shape: BatchShape;
  readonly adapter?: LowRankPlan | undefined;
  readonly anchors: readonly AnchorPlan[];
  /** Layers whose activations are wanted as coordinates on a basis, of so many directions. */
  readonly projected?: readonly { readonly layer: number; readonly components: number }[];
  /** Whether the slope of its loss at its logits is wanted, as a gradient of `heardName`. */
  readonly isHeard?: boolean;
}

/** Zeros that are added to a branch's logits: their gradient is (p − 1[target]) / count in each row that is asked. */
export function heardName(branch: string): string {
  return `${branch}/heard`;
}

/** Parameters of a projection: its directions, and what the mean is on them, with its sign turned. */
export function projectionNames(branch: string, layer: number): { readonly basis: string; readonly offset: string } {
  return { basis: `${branch}/projection/${layer}/basis`, offset: `${branch}/projection/${layer}/offset` };
}

/** A branch as tensors. */
export interface RecordedBranch {
  readonly plan: BranchPlan;
  readonly logits: Tensor;
  /** The residual stream, by layer. */
  readonly hidden: readonly Tensor[];
  /** Of the layers that are projected. */
  readonly coordinates: ReadonlyMap<number, Tensor>;
  readonly outputLoss: Tensor;
  readonly anchorLoss: Tensor | undefined;
  readonly loss: Tensor;
}

/**
 * Record what one branch computes, and its loss L_output + L_anchor.
 *
 * L_output is the cross-entropy of the right tokens plus ⟨logits, soft⟩. With soft = (1[target] − p) / count, where p is what a
 * teacher holds likely, both together are the cross-entropy of p: −Σ p log q = −log q[target] + Σ (1[target] − p) · logits.
 * L_anchor is Σ (weight · (M h + b − c))² over tokens and coordinates c of a teacher's kept subspace; M and b learn beside the
 * model, and go when it is done.
 *
 * @see Hinton et al. 2015, "Distilling the knowledge in a neural network"; Romero et al. 2015, "FitNets", for hints at hidden layers
 */
export function recordBranch(
  builder: ProgramBuilder,
  config: ModelConfig,
  weights: ReadonlyMap<string, Tensor>,
  plan: BranchPlan,
): RecordedBranch {
  const { name, adapter } = plan;
  const { sequences, length, answers } = plan.shape;
  const tokens = builder.input(`${name}/tokens`, [sequences * length], "i32");
  const asked = builder.input(`${name}/asked`, [sequences * answers], "i32");
  const targets = builder.input(`${name}/targets`, [sequences * answers], "i32");
  const soft = builder.input(`${name}/soft`, [sequences * answers, config.vocabulary], "f32");
  const adapt = adapter === undefined ? undefined : recordLowRank(builder, config, adapter, `${name}/`);
  const hidden: Tensor[] = [];
  const own = recordLogits(builder, config, tokens, {
    ...{ sequences, length, asked, weights, observe: (_: number, x: Tensor) => hidden.push(x) },
    ...(adapt && { adapt }),
  });
  const logits = plan.isHeard
    ? builder.add(own, builder.parameter(heardName(name), [sequences * answers, config.vocabulary]))
    : own;
  const outputLoss = builder.add(builder.crossEntropy(logits, targets), dot(builder, logits, soft));
  let anchorLoss: Tensor | undefined;
  for (const anchor of plan.anchors) {
    const off = recordAnchor(builder, `${name}/anchor/${anchor.of}`, hidden[anchor.layer] as Tensor, anchor);
    const part = dot(builder, off, off);
    anchorLoss = anchorLoss === undefined ? part : builder.add(anchorLoss, part);
  }
  const loss = anchorLoss === undefined ? outputLoss : builder.add(outputLoss, anchorLoss);
  const projected = (plan.projected ?? []).map(({ layer, components }): [number, Tensor] => {
    return [layer, recordProjection(builder, name, hidden[layer] as Tensor, layer, components)];
  });
  return { plan, logits, hidden, coordinates: new Map(projected), outputLoss, anchorLoss, loss };
}

function recordProjection(
  builder: ProgramBuilder,
  branch: string,
  x: Tensor,
  layer: number,
  components: number,
): Tensor {
  const names = projectionNames(branch, layer);
  const basis = builder.parameter(names.basis, [components, x.shape[1] ?? 1], { isTrained: false });
  const bias = builder.parameter(names.offset, [components], { isTrained: false });
  return builder.matmul(x, basis, { transposed: true, bias });
}

function recordAnchor(builder: ProgramBuilder, name: string, x: Tensor, { components }: AnchorPlan): Tensor {
  const [rows = 1, width = 1] = x.shape;
  const map = builder.parameter(`${name}/map`, [components, width]);
  const bias = builder.parameter(`${name}/bias`, [components]);
  const negated = builder.input(`${name}/negated`, [rows, components], "f32");
  const weights = builder.input(`${name}/weights`, [rows, components], "f32");
  return builder.mul(builder.add(builder.matmul(x, map, { transposed: true, bias }), negated), weights);
}

/** Σ a · b over all numbers. @returns a scalar */
function dot(builder: ProgramBuilder, a: Tensor, b: Tensor): Tensor {
  const [row, column] = [a, b].map((tensor) => builder.reshape(tensor, [1, sizeOf(tensor.shape)])) as [Tensor, Tensor];
  return builder.reshape(builder.matmul(row, column, { transposed: true }), [1]);
}
