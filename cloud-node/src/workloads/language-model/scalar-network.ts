import type { ModelConfig } from "./model-config.ts";
import { dot, logSumExp, softmax, sum, type Value } from "./value.ts";

/** A matrix by rows, shape (rows, channels); a gain is a matrix of one row. */
export type Rows = readonly (readonly Value[])[];
/** Trained tensors by name, as `parameterSpecs` names them. */
export type ScalarWeights = ReadonlyMap<string, Rows>;

/** What is added to a mean square before its root, so that zeros have one: PyTorch's for layer norm and, in float32, for RMS norm. */
export const LAYER_NORM_EPS = 1e-5;
export const RMS_NORM_EPS = 2 ** -23;

/**
 * A bigram or a GPT as one would write it down: number by number, one token after the other, each looking back on the
 * keys and values of those before it.
 *
 * @param tokens  1 … `context` of them
 * @returns logits, shape (tokens, vocabulary)
 */
export function scalarLogits(config: ModelConfig, weights: ScalarWeights, tokens: ArrayLike<number>): Rows {
  if (config.kind === "bigram") return Array.from(tokens, (token) => rowOf(weights, "bigram.weight", token));
  const caches: LayerCache[] = Array.from({ length: config.layers }, () => ({ keys: [], values: [] }));
  return Array.from(tokens, (token, position) => nextLogits(config, weights, caches, token, position));
}

/** @returns mean over the targets that are not −1 of −log p(target), in nats */
export function scalarLoss(logits: Rows, targets: ArrayLike<number>): Value {
  const losses: Value[] = [];
  for (const [position, row] of logits.entries()) {
    const target = targets[position] ?? -1;
    if (target >= 0) losses.push(logSumExp(row).sub(row[target] as Value));
  }
  return sum(losses).mul(1 / losses.length);
}

/** What earlier tokens left for later ones to look back on: for each its (kvHeads × headWidth) channels. */
interface LayerCache {
  readonly keys: (readonly Value[])[];
  readonly values: (readonly Value[])[];
}

function nextLogits(
  config: ModelConfig,
  weights: ScalarWeights,
  caches: readonly LayerCache[],
  token: number,
  position: number,
): readonly Value[] {
  const { positions, embeddingNorm, tied, softcap } = config;
  let x = rowOf(weights, "transformer.wte.weight", token);
  if (positions === "learned") x = added(x, rowOf(weights, "transformer.wpe.weight", position));
  if (embeddingNorm) x = rmsNorm(config, x);
  for (const [layer, cache] of caches.entries()) {
    const name = `transformer.h.${layer}`;
    x = added(
      x,
      attention(config, weights, `${name}.attn`, normed(config, weights, `${name}.ln_1`, x), cache, position),
    );
    x = added(x, feedForward(config, weights, `${name}.mlp`, normed(config, weights, `${name}.ln_2`, x)));
  }
  const last = normed(config, weights, "transformer.ln_f", x);
  const logits = linear(weights, tied ? "transformer.wte.weight" : "lm_head.weight", last);
  return softcap === 0
    ? logits
    : logits.map((logit) =>
        logit
          .mul(1 / softcap)
          .tanh()
          .mul(softcap),
      );
}

function attention(
  config: ModelConfig,
  weights: ScalarWeights,
  name: string,
  x: readonly Value[],
  cache: LayerCache,
  position: number,
): Value[] {
  const { heads, kvHeads, headWidth, qkNorm } = config;
  const scale = (qkNorm === 0 ? 1 : qkNorm * qkNorm) / Math.sqrt(headWidth);
  const turned = (part: "c_q" | "c_k"): Value[] =>
    headsOf(linear(weights, `${name}.${part}.weight`, x), headWidth).flatMap((head) => turn(config, head, position));
  const queries = headsOf(turned("c_q"), headWidth);
  cache.keys.push(turned("c_k"));
  cache.values.push(linear(weights, `${name}.c_v.weight`, x));
  const seen = queries.flatMap((query, head) => {
    const first = Math.floor((head * kvHeads) / heads) * headWidth;
    const keys = cache.keys.map((key) => key.slice(first, first + headWidth));
    const shares = softmax(keys.map((key) => dot(query, key).mul(scale)));
    return query.map((_, channel) =>
      dot(
        shares,
        cache.values.map((value) => value[first + channel] as Value),
      ),
    );
  });
  return linear(weights, `${name}.c_proj.weight`, seen);
}

/** Place a head's query or key: turned by its position where positions are angles, and normalized where that is asked for. */
function turn(config: ModelConfig, head: readonly Value[], position: number): readonly Value[] {
  const { positions, ropeTheta, qkNorm, headWidth } = config;
  const half = headWidth / 2;
  const placed =
    positions === "learned"
      ? head
      : head.map((x, channel) => {
          const angle = position * ropeTheta ** (-(2 * (channel % half)) / headWidth);
          const other = head[(channel + half) % headWidth] as Value;
          const turnedOther = other.mul(channel < half ? -Math.sin(angle) : Math.sin(angle));
          return x.mul(Math.cos(angle)).add(turnedOther);
        });
  return qkNorm === 0 ? placed : rmsNorm(config, placed);
}

function feedForward({ activation }: ModelConfig, weights: ScalarWeights, name: string, x: readonly Value[]): Value[] {
  const up = linear(weights, `${name}.c_fc.weight`, x);
  if (activation === "swiglu") {
    const gates = linear(weights, `${name}.c_gate.weight`, x);
    return linear(
      weights,
      `${name}.c_proj.weight`,
      multiplied(
        gates.map((gate) => gate.silu()),
        up,
      ),
    );
  }
  const active = up.map((value) => (activation === "gelu" ? value.gelu() : value.relu().pow(2)));
  return linear(weights, `${name}.c_proj.weight`, active);
}

function normed(config: ModelConfig, weights: ScalarWeights, name: string, x: readonly Value[]): readonly Value[] {
  const { norm } = config;
  if (norm === "none") return x;
  if (norm === "rms-plain") return rmsNorm(config, x);
  const gain = rowOf(weights, `${name}.weight`, 0);
  if (norm === "rms") return multiplied(rmsNorm(config, x), gain);
  const mean = sum(x).mul(1 / x.length);
  const centred = x.map((value) => value.sub(mean));
  return multiplied(scaled(centred, meanSquare(centred).add(LAYER_NORM_EPS).pow(-0.5)), gain);
}

function rmsNorm({ normEps = RMS_NORM_EPS }: ModelConfig, x: readonly Value[]): Value[] {
  return scaled(x, meanSquare(x).add(normEps).pow(-0.5));
}

function meanSquare(x: readonly Value[]): Value {
  return dot(x, x).mul(1 / x.length);
}

/** W x. @returns shape (outputs) */
function linear(weights: ScalarWeights, name: string, x: readonly Value[]): Value[] {
  return (weights.get(name) ?? []).map((row) => dot(row, x));
}

function rowOf(weights: ScalarWeights, name: string, row: number): readonly Value[] {
  return weights.get(name)?.[row] ?? [];
}

/** Cut into pieces of `width`. */
function headsOf(x: readonly Value[], width: number): (readonly Value[])[] {
  const heads: (readonly Value[])[] = [];
  for (let first = 0; first < x.length; first += width) heads.push(x.slice(first, first + width));
  return heads;
}

function added(a: readonly Value[], b: readonly Value[]): Value[] {
  return a.map((x, k) => x.add(b[k] as Value));
}

function multiplied(a: readonly Value[], b: readonly Value[]): Value[] {
  return a.map((x, k) => x.mul(b[k] as Value));
}

function scaled(x: readonly Value[], factor: Value): Value[] {
  return x.map((value) => value.mul(factor));
}
