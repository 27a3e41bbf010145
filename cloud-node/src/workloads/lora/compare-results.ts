import { RandomStream } from "../../tensor/random.ts";
import type { Judged } from "./evaluate.ts";
import { LoraError } from "./lora-error.ts";

/** Resamples: enough for an interval's ends to stand still in the first digit of a point. */
const RESAMPLES = 10_000;
const TAIL = 0.025;

/** How much more often one of two models is right, in shares of 1. */
export interface Difference {
  /** Patterns, whose prompts stand or fall together. */
  readonly patterns: number;
  readonly before: number;
  readonly after: number;
  readonly gain: number;
  /** 95 % of the resampled gains lie between. */
  readonly low: number;
  readonly high: number;
  /** Whether zero lies outside. */
  readonly isSignificant: boolean;
}

/** What two evaluations of the same prompts say about each other. */
export interface Comparison {
  readonly overall: Difference;
  readonly byCategory: Readonly<Record<string, Difference>>;
}

/**
 * Compare two evaluations by exact answers: patterns, and not prompts, are drawn with replacement, since the wordings of one
 * are no independent questions, and both evaluations answer the same draw.
 *
 * @throws {LoraError} `bad-result` where they are not of the same prompts
 * @see B. Efron 1979 (the bootstrap; percentile interval)
 */
export function compareResults(before: readonly Judged[], after: readonly Judged[], seed = 0): Comparison {
  const rights = pairedRights(before, after);
  const categories = [...new Set(rights.map(({ category }) => category))].sort();
  return {
    overall: difference(rights, new RandomStream(seed, "bootstrap")),
    byCategory: Object.fromEntries(
      categories.map((category) => [
        category,
        difference(
          rights.filter((one) => one.category === category),
          new RandomStream(seed, `bootstrap/${category}`),
        ),
      ]),
    ),
  };
}

/** Of one pattern: prompts, and how many of them each model got right. */
interface PatternRights {
  readonly category: string;
  count: number;
  before: number;
  after: number;
}

function pairedRights(before: readonly Judged[], after: readonly Judged[]): PatternRights[] {
  const byPrompt = new Map(after.map((judged) => [judged.prompt, judged]));
  const byPattern = new Map<string, PatternRights>();
  for (const one of before) {
    const other = byPrompt.get(one.prompt);
    if (other === undefined || other.answer !== one.answer || before.length !== after.length) {
      const problem = `the evaluations are not of the same prompts: "${one.prompt}" is in one of them alone`;
      throw new LoraError("bad-result", problem, "evaluate both with the same data set");
    }
    const key = `${one.category}/${one.pattern === "" ? one.prompt : one.pattern}`;
    const rights = byPattern.get(key) ?? { category: one.category, count: 0, before: 0, after: 0 };
    byPattern.set(key, rights);
    rights.count += 1;
    rights.before += one.isExact ? 1 : 0;
    rights.after += other.isExact ? 1 : 0;
  }
  return [...byPattern.values()];
}

function difference(rights: readonly PatternRights[], stream: RandomStream): Difference {
  const [before, after] = sharesOf(rights);
  const gains = Float64Array.from({ length: RESAMPLES }, () => {
    const drawn = rights.map(() => rights[stream.nextBelow(rights.length)] as PatternRights);
    const [first, second] = sharesOf(drawn);
    return second - first;
  }).sort();
  const low = gains[Math.floor(TAIL * RESAMPLES)] ?? 0;
  const high = gains[Math.ceil((1 - TAIL) * RESAMPLES) - 1] ?? 0;
  return {
    patterns: rights.length,
    before,
    after,
    gain: after - before,
    low,
    high,
    isSignificant: low > 0 || high < 0,
  };
}

function sharesOf(rights: readonly PatternRights[]): [before: number, after: number] {
  let [count, before, after] = [0, 0, 0];
  for (const one of rights) {
    count += one.count;
    before += one.before;
    after += one.after;
  }
  return count === 0 ? [0, 0] : [before / count, after / count];
}
