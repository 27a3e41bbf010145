import { LanguageModelError } from "./language-model-error.ts";
import type { RunConfig } from "./run-config.ts";
import { chooseToken, type SamplingOptions } from "./sampler.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What goes before a sample of a model that never saw where documents begin: nanoGPT's. */
const BEGINNING = "\n";

/** What a character becomes of which not all bytes are there yet. */
const PARTIAL = "\ufffd";

/** Something that says what follows a token and all before it. */
export interface NextToken {
  next(token: number): Promise<Float32Array>;
}

/** What a sample is made by. */
export interface SampleRequest extends SamplingOptions {
  readonly prompt: string;
  /** Tokens at most. */
  readonly tokens: number;
  /** Where any of these comes, a sample ends in front of it. */
  readonly stops: readonly string[];
  /** Chance, in [0, 1). */
  readonly uniform: () => number;
}

/**
 * Tokens that a prompt is to a model, with the beginning of a document in front where it was trained with them.
 *
 * @throws {LanguageModelError} `prompt-too-long`, `unknown-character`
 */
export function promptTokens({ data, model }: RunConfig, tokenizer: Tokenizer, prompt: string): Int32Array {
  const hasBeginnings = data.packing === "best-fit";
  const ids = [...(hasBeginnings ? [tokenizer.bos] : []), ...tokenizer.encode(prompt)];
  if (ids.length === 0) ids.push(beginning(tokenizer));
  if (ids.length > model.context) {
    const problem = `the prompt has ${ids.length} tokens, and the model looks back on ${model.context}`;
    throw new LanguageModelError("prompt-too-long", problem, "shorten it");
  }
  return Int32Array.from(ids);
}

/** A line's end, where the text has lines. */
function beginning(tokenizer: Tokenizer): number {
  try {
    return tokenizer.encode(BEGINNING).at(-1) ?? tokenizer.bos;
  } catch (error) {
    if (error instanceof LanguageModelError) return tokenizer.bos;
    throw error;
  }
}

/**
 * Text that follows a prompt, piece by piece as it is certain: a stop or a character that is not whole yet holds it back.
 *
 * @param prompt  as `promptTokens` gave it
 */
export async function* sampleText(
  model: NextToken,
  tokenizer: Tokenizer,
  prompt: Int32Array,
  request: SampleRequest,
): AsyncGenerator<string> {
  let logits: Float32Array = new Float32Array();
  for (const token of prompt) logits = Float32Array.from(await model.next(token));
  // What a token's text is can depend on the one in front of it, and on that one alone: tokens are decoded behind the last one
  // whose characters were whole.
  let window = [...prompt];
  let known = tokenizer.decode(window).length;
  let held = "";
  for (let count = 0; count < request.tokens; count += 1) {
    const token = chooseToken(logits, request, request.uniform());
    // A document's beginning ends the one before it.
    if (token === tokenizer.bos) break;
    window.push(token);
    const fresh = tokenizer.decode(window).slice(known);
    const text = held + fresh;
    const stop = firstOf(text, request.stops);
    if (stop !== undefined) {
      yield text.slice(0, stop);
      return;
    }
    const sure = text.length - heldBack(text, request.stops);
    if (sure > 0) yield text.slice(0, sure);
    if (fresh === "" || fresh.endsWith(PARTIAL)) {
      known += Math.max(0, sure - held.length);
      held = held.slice(sure);
    } else {
      window = [token];
      known = tokenizer.decode(window).length;
      held = text.slice(sure);
    }
    if (count + 1 < request.tokens) logits = await model.next(token);
  }
  yield held + tokenizer.decode(window).slice(known);
}

function firstOf(text: string, stops: readonly string[]): number | undefined {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return places.length === 0 ? undefined : Math.min(...places);
}

/** Length of the end of a text that may still become a stop, or is a character that is not whole yet. */
function heldBack(text: string, stops: readonly string[]): number {
  const partial = /\ufffd+$/.exec(text)?.[0].length ?? 0;
  const begun = stops.map((stop) => {
    for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
      if (text.endsWith(stop.slice(0, length))) return length;
    }
    return 0;
  });
  return Math.max(partial, ...begun);
}
