import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterCount } from "../language-model/parameters.ts";

const MIB = 2 ** 20;
const BYTES = 4;
/** Node with this program and nothing to do, MiB: what `lockstep distill status` showed of the lock, rounded up. */
export const EMPTY_MB = 160;
/** Value, gradient and two averages of AdamW. */
const COPIES_TRAINED = 4;
/** Numbers that a layer keeps for each channel of a token until gradients have passed it. */
const KEPT_FOR_A_CHANNEL = 12;

/** As a file's bytes, and as what is computed with. */
const COPIES_ASKED = 2;

/** What asking a model takes of which its registry says the size alone, MiB. */
export function askingMB(parameters: number): number {
  return Math.ceil(EMPTY_MB + (BYTES * COPIES_ASKED * parameters) / MIB);
}

/** What training takes at most, as far as sizes say: for people, and to refuse what cannot end well. MiB. */
export function trainingMB(config: ModelConfig, tokens: number): number {
  const { layers, width, hidden, heads, context, vocabulary } = config;
  const streams = tokens * layers * (KEPT_FOR_A_CHANNEL * width + 4 * hidden);
  // A sequence is no longer than the context, and its weights are as many as the square of its length.
  const attention = tokens * layers * heads * context;
  const logits = 2 * tokens * vocabulary;
  const numbers = COPIES_TRAINED * parameterCount(config) + 2 * (streams + attention + logits);
  return Math.ceil(EMPTY_MB + (BYTES * numbers) / MIB);
}
