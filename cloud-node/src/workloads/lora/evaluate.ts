import { RandomStream } from "../../tensor/random.ts";
import type { Answerer, AnswerOptions } from "./answerer.ts";
import type { Example } from "./example.ts";

/** An example, and what was answered to it. */
export interface Judged extends Example {
  readonly text: string;
  /** Whether that is the answer, but for spaces around it. */
  readonly isExact: boolean;
  /** Whether it begins with the answer. */
  readonly isPrefix: boolean;
  readonly tokens: number;
  readonly seconds: number;
}

/** How often answers were right, as shares of 1. */
export interface Score {
  readonly count: number;
  readonly exact: number;
  readonly prefix: number;
}

/** How a model answers examples. */
export interface Evaluation {
  readonly overall: Score;
  readonly byCategory: Readonly<Record<string, Score>>;
  /** Share of prompts whose answers were the same every time, where chance had a say; of patterns, in all wordings. */
  readonly consistency: { readonly repeats: number; readonly temperature: number; readonly sameAnswer: number } | null;
  /** Of an answer, from its prompt's first token to its last, seconds. */
  readonly latency: { readonly mean: number; readonly median: number; readonly p95: number };
  /** Of answers, prompts' time counted in. */
  readonly tokensPerSecond: number;
  readonly answers: readonly Judged[];
}

/** How an evaluation is made. */
export interface EvaluationOptions {
  /** Of an answer, at most. */
  readonly maxTokens: number;
  /** Each prompt is asked so many times more, with chance; 0: consistency is not measured. */
  readonly repeats?: number;
  readonly temperature?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onAnswer?: (done: number, of: number, judged: Judged) => void;
  /** Something beside the model that has a say in an answer, by its prompt. */
  readonly adjustFor?: (prompt: string) => AnswerOptions["adjust"];
}

const USUAL_TEMPERATURE = 0.7;

/** Ask every example's prompt, and judge the answers. */
export async function evaluate(
  answerer: Answerer,
  examples: readonly Example[],
  options: EvaluationOptions,
): Promise<Evaluation> {
  const { maxTokens, repeats = 0, temperature = USUAL_TEMPERATURE, seed = 0, signal, onAnswer, adjustFor } = options;
  const answers: Judged[] = [];
  let same = 0;
  for (const [at, example] of examples.entries()) {
    signal?.throwIfAborted();
    const adjust = adjustFor?.(example.prompt);
    const { text, tokens, seconds } = await answerer.answer(example.prompt, { maxTokens, adjust });
    const judged = { ...example, text, ...judgementOf(text, example.answer), tokens, seconds };
    answers.push(judged);
    const others = new Set<string>();
    const stream = new RandomStream(seed, `consistency/${example.prompt}`);
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const uniform = () => stream.nextUniform();
      others.add((await answerer.answer(example.prompt, { maxTokens, adjust, temperature, uniform })).text);
    }
    if (others.size === 1) same += 1;
    onAnswer?.(at + 1, examples.length, judged);
    // A long evaluation lets others have a turn: a signal, a line of progress.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    overall: scoreOf(answers),
    byCategory: scoresByCategory(answers),
    consistency: repeats === 0 ? null : { repeats, temperature, sameAnswer: same / examples.length },
    ...speedOf(answers),
    answers,
  };
}

/** Whether a text is the answer, and whether it begins with it. */
export function judgementOf(text: string, answer: string): Pick<Judged, "isExact" | "isPrefix"> {
  const [given, wanted] = [text.trim(), answer.trim()];
  return { isExact: given === wanted, isPrefix: given.startsWith(wanted) };
}

/** Shares of answers that are right; 0 of none. */
export function scoreOf(answers: readonly Pick<Judged, "isExact" | "isPrefix">[]): Score {
  const count = answers.length;
  const share = (right: number) => (count === 0 ? 0 : right / count);
  return {
    count,
    exact: share(answers.filter(({ isExact }) => isExact).length),
    prefix: share(answers.filter(({ isPrefix }) => isPrefix).length),
  };
}

/** By category, in order of their names. */
export function scoresByCategory(answers: readonly Judged[]): Record<string, Score> {
  const groups = [...Map.groupBy(answers, ({ category }) => category)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(groups.map(([category, group]) => [category, scoreOf(group)]));
}

function speedOf(answers: readonly Judged[]): Pick<Evaluation, "latency" | "tokensPerSecond"> {
  const seconds = answers.map((answer) => answer.seconds).sort((a, b) => a - b);
  const total = seconds.reduce((sum, each) => sum + each, 0);
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  const at = (share: number) => seconds[Math.min(seconds.length - 1, Math.floor(share * seconds.length))] ?? 0;
  return {
    latency: { mean: seconds.length === 0 ? 0 : total / seconds.length, median: at(0.5), p95: at(0.95) },
    tokensPerSecond: total > 0 ? tokens / total : 0,
  };
}
