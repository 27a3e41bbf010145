import type { LoadedModel } from "./model-folder.ts";

/** A question with its answer, as a model reads them. */
export interface TokenizedExample {
  readonly tokens: Int32Array;
  /** The answer's first token, > 0; the last one of `tokens` ends it. */
  readonly answerFrom: number;
}

/** What of a model decides how examples are written. */
export type ExampleWriter = Pick<LoadedModel, "chat" | "tokenizer" | "ends" | "chatTokens">;

/**
 * Examples as a model reads them: the question is what `chatTokens` gives of its prompt, and the answer goes up to the
 * token that ends it.
 *
 * @throws {LoraError} as `ChatTemplate.exchange`; {LanguageModelError} `unknown-character`
 */
export function tokenizeExamples(
  model: ExampleWriter,
  examples: readonly { readonly prompt: string; readonly answer: string }[],
): TokenizedExample[] {
  return examples.map(({ prompt, answer }) => {
    const question = model.chatTokens(prompt);
    const tokens = [...question, ...answerTokens(model, question, prompt, answer)];
    return { tokens: Int32Array.from(tokens), answerFrom: question.length };
  });
}

function answerTokens(model: ExampleWriter, question: Int32Array, prompt: string, answer: string): number[] {
  const { chat, tokenizer, ends } = model;
  const opened = chat.question(prompt);
  const whole = chat.exchange(prompt, answer);
  const exchange = tokenizer.encodeMarked(whole);
  let after: Iterable<number>;
  if (question.every((token, at) => token === exchange[at])) after = exchange.subarray(question.length);
  // Tokens may reach across the place where the answer begins, and a template may write a finished question otherwise.
  else if (whole.startsWith(opened)) after = tokenizer.encodeMarked(whole.slice(opened.length));
  else after = tokenizer.encode(answer);
  const tokens: number[] = [];
  for (const token of after) {
    if (ends.has(token)) return [...tokens, token];
    tokens.push(token);
  }
  return [...tokens, firstOf(ends)];
}

function firstOf(ends: ReadonlySet<number>): number {
  const [end = 0] = ends;
  return end;
}
