import type { Dropout } from "../../tensor/operations/dropout.ts";
import type { ProgramBuilder } from "../../tensor/program-builder.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ModelConfig } from "./model-config.ts";
import { parameterSpecs } from "./parameters.ts";
import { LAYER_NORM_EPS, RMS_NORM_EPS } from "./scalar-network.ts";

/** Which rows a program has, and how they look back. */
export interface RowPlan {
  /** Sequences. */
  readonly sequences: number;
  /** Rows of each: the whole context, or one new row. */
  readonly length: number;
  /** i32, (1): where the new row stands; set where rows before it are remembered from run to run. */
  readonly position?: Tensor;
  /** Share of channels and of attention weights that is left out, of a program that learns. */
  readonly dropout?: number;
  /** i32, (n): the rows whose logits are wanted; all unless given. */
  readonly asked?: Tensor;
  /** The model's parameters stay as they are: they have no gradients. */
  readonly isFrozen?: boolean;
  /** Stands in for what a linear map gives. @param weight  name of the map's matrix */
  readonly adapt?: (weight: string, x: Tensor, out: Tensor) => Tensor;
  /** Parameters that another part of the same program recorded; its own unless given. */
  readonly weights?: ReadonlyMap<string, Tensor>;
  /** Told of the residual stream behind each layer, (sequences × length, width). */
  readonly observe?: (layer: number, x: Tensor) => void;
}

/** Record a model's parameters, for one or several parts of a program. */
export function recordWeights(
  builder: ProgramBuilder,
  config: ModelConfig,
  { isTrained }: { readonly isTrained: boolean },
): ReadonlyMap<string, Tensor> {
  return new Map(
    parameterSpecs(config).map(({ name, shape }) => [name, builder.parameter(name, shape, { isTrained })]),
  );
}

/**
 * Record a bigram or a GPT: the same calculation as `scalarLogits`, over all rows at once.
 *
 * @param ids  i32, (sequences × length)
 * @returns logits, (rows that are asked for, vocabulary)
 */
export function recordLogits(builder: ProgramBuilder, config: ModelConfig, ids: Tensor, plan: RowPlan): Tensor {
  const weights = plan.weights ?? recordWeights(builder, config, { isTrained: plan.isFrozen !== true });
  const weight = (name: string): Tensor => weights.get(name) as Tensor;
  if (config.kind === "bigram") return builder.embedding(weight("bigram.weight"), ids);
  return new Transformer(builder, config, plan, weight).logits(ids);
}

class Transformer {
  readonly #builder: ProgramBuilder;
  readonly #config: ModelConfig;
  readonly #plan: RowPlan;
  readonly #weight: (name: string) => Tensor;
  readonly #eps: number;

  constructor(builder: ProgramBuilder, config: ModelConfig, plan: RowPlan, weight: (name: string) => Tensor) {
    this.#builder = builder;
    this.#config = config;
    this.#plan = plan;
    this.#weight = weight;
    this.#eps = config.normEps ?? RMS_NORM_EPS;
  }

  logits(ids: Tensor): Tensor {
    const { layers, tied, softcap } = this.#config;
    let x = this.#embed(ids);
    for (let layer = 0; layer < layers; layer += 1) {
      const name = `transformer.h.${layer}`;
      x = this.#attend(`${name}.attn`, this.#norm(`${name}.ln_1`, x), x);
      x = this.#feedForward(`${name}.mlp`, this.#norm(`${name}.ln_2`, x), x);
      this.#plan.observe?.(layer, x);
    }
    const { asked } = this.#plan;
    const last = this.#norm("transformer.ln_f", asked === undefined ? x : this.#builder.embedding(x, asked));
    const logits = this.#linear(tied ? "transformer.wte" : "lm_head", last);
    return softcap === 0 ? logits : this.#builder.softcap(logits, softcap);
  }

  #embed(ids: Tensor): Tensor {
    const { positions, embeddingNorm } = this.#config;
    let x = this.#builder.embedding(this.#weight("transformer.wte.weight"), ids);
    if (positions === "learned") x = this.#builder.add(x, this.#places());
    if (embeddingNorm) x = this.#builder.rmsNorm(x, undefined, this.#eps);
    const { dropout } = this.#leftOut("transformer.drop");
    return dropout === undefined ? x : this.#builder.dropout(x, dropout);
  }

  #places(): Tensor {
    const table = this.#weight("transformer.wpe.weight");
    const { position } = this.#plan;
    return position === undefined ? table : this.#builder.embedding(table, position);
  }

  #attend(name: string, x: Tensor, residual: Tensor): Tensor {
    const { heads, kvHeads, headWidth: headDim, qkNorm, context } = this.#config;
    const { sequences: B, length: T, position } = this.#plan;
    const q = this.#turn(this.#linear(`${name}.c_q`, x), heads);
    const k = this.#turn(this.#linear(`${name}.c_k`, x), kvHeads);
    const v = this.#linear(`${name}.c_v`, x);
    const shape = { B, heads, kvHeads, headDim, scale: (qkNorm === 0 ? 1 : qkNorm * qkNorm) / Math.sqrt(headDim) };
    const seen =
      position === undefined
        ? this.#builder.causalAttention(q, k, v, { ...shape, T, ...this.#leftOut(`${name}.attn_dropout`) })
        : this.#builder.cachedAttention(q, k, v, position, { ...shape, capacity: context });
    return this.#project(`${name}.c_proj`, seen, residual, `${name}.resid_dropout`);
  }

  /** Place queries or keys: turned by their position where positions are angles, and normalized where that is asked for. */
  #turn(x: Tensor, heads: number): Tensor {
    const { positions, ropeTheta: theta, qkNorm, headWidth: headDim, context } = this.#config;
    const { position, sequences, length } = this.#plan;
    let turned = x;
    if (positions === "rope") {
      const place = position === undefined ? { T: length } : { T: context, positions: position };
      turned = this.#builder.rope(x, { heads, headDim, theta, ...place });
    }
    if (qkNorm === 0) return turned;
    const rows = sequences * length;
    const apart = this.#builder.rmsNorm(this.#builder.reshape(turned, [rows * heads, headDim]), undefined, this.#eps);
    return this.#builder.reshape(apart, [rows, heads * headDim]);
  }

  #feedForward(name: string, x: Tensor, residual: Tensor): Tensor {
    const up = this.#linear(`${name}.c_fc`, x);
    return this.#project(`${name}.c_proj`, this.#activate(name, x, up), residual, `${name}.dropout`);
  }

  #activate(name: string, x: Tensor, up: Tensor): Tensor {
    const { activation } = this.#config;
    if (activation === "swiglu") return this.#builder.swiglu(this.#linear(`${name}.c_gate`, x), up);
    return activation === "gelu" ? this.#builder.gelu(up) : this.#builder.relu2(up);
  }

  #norm(name: string, x: Tensor): Tensor {
    const { norm } = this.#config;
    if (norm === "none") return x;
    if (norm === "rms-plain") return this.#builder.rmsNorm(x, undefined, this.#eps);
    const gain = this.#weight(`${name}.weight`);
    if (norm === "rms") return this.#builder.rmsNorm(x, gain, this.#eps);
    return this.#builder.layerNorm(x, gain, undefined, LAYER_NORM_EPS);
  }

  #linear(name: string, x: Tensor, residual?: Tensor): Tensor {
    const weight = `${name}.weight`;
    const out = this.#builder.matmul(x, this.#weight(weight), { transposed: true, ...(residual && { residual }) });
    return this.#plan.adapt?.(weight, x, out) ?? out;
  }

  /** Back into the residual stream. @param drop  the dropout on the way */
  #project(name: string, x: Tensor, residual: Tensor, drop: string): Tensor {
    const { dropout } = this.#leftOut(drop);
    if (dropout !== undefined) return this.#builder.dropout(this.#linear(name, x), { ...dropout, residual });
    return this.#linear(name, x, residual);
  }

  /** One of nanoGPT's dropouts, by its name there; none where the program leaves nothing out. */
  #leftOut(name: string): { readonly dropout?: Dropout } {
    const { dropout: rate = 0 } = this.#plan;
    return rate === 0 ? {} : { dropout: { name, rate } };
  }
}
