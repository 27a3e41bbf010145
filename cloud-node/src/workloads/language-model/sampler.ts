import { LanguageModelError } from "./language-model-error.ts";

/** How the next token is chosen. */
export interface SamplingOptions {
  /** Logits are divided by it; 0: the likeliest token, always. */
  readonly temperature: number;
  /** Among so many of the likeliest; all unless given. */
  readonly topK?: number | undefined;
  /** Among the likeliest that together have this probability; all unless given. */
  readonly topP?: number | undefined;
}

/**
 * Choose a token.
 *
 * @param logits  shape (vocabulary); −∞ is never chosen
 * @param uniform  chance, in [0, 1)
 * @throws {LanguageModelError} `logits-not-finite`: of such a model nothing can be foreseen
 * @see A. Holtzman et al., The curious case of neural text degeneration, 2020, section 3.1 (top-p)
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, topK, topP }: SamplingOptions,
  uniform: number,
): number {
  const broken = logits.findIndex((logit) => !(logit < Number.POSITIVE_INFINITY));
  if (broken >= 0) {
    const problem = `the model gives token ${broken} the logit ${logits[broken]}`;
    throw new LanguageModelError("logits-not-finite", problem, "its weights are damaged: take another checkpoint");
  }
  if (temperature === 0) return logits.reduce((best, logit, id) => (logit > (logits[best] as number) ? id : best), 0);
  const order = Int32Array.from(logits.keys()).sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  const most = logits[order[0] ?? 0] as number;
  const kept = order.subarray(0, topK ?? order.length);
  const weights = Float64Array.from(kept, (id) => Math.exp(((logits[id] as number) - most) / temperature));
  const count = topP === undefined ? kept.length : nucleus(weights, topP);
  const total = sumOf(weights.subarray(0, count));
  let left = uniform * total;
  for (let at = 0; at < count; at += 1) {
    left -= weights[at] as number;
    if (left < 0) return kept[at] as number;
  }
  return kept[count - 1] as number;
}

/** How many of the likeliest have this share together; at least one. */
function nucleus(weights: Float64Array, share: number): number {
  const enough = share * sumOf(weights);
  let together = 0;
  for (const [at, weight] of weights.entries()) {
    together += weight;
    if (together >= enough) return at + 1;
  }
  return weights.length;
}

function sumOf(weights: Float64Array): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}
