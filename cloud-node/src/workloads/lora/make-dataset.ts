import { RandomStream } from "../../tensor/random.ts";
import { keywordsOf, variantsOf } from "./augment-prompt.ts";
import type { Example, Pattern } from "./example.ts";
import { LoraError } from "./lora-error.ts";
import { plainWords } from "./near-duplicate.ts";

/** Share of each category's examples that training does not see. */
const VALIDATION_SHARE = 0.2;

/** What is learned from, what says during training how far that is, and what is asked at the end. */
export interface Dataset {
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  /** Wordings that neither of the others has, also not in another case or with other marks. */
  readonly test: readonly Example[];
}

/** How many examples a pattern becomes. */
export interface DatasetOptions {
  readonly seed: number;
  /** Of each wording, beside itself. */
  readonly variants: number;
}

/**
 * Examples of all patterns: each one's last wording is for the test, as it stands and in another form; the others, with their
 * keywords and variants, are for training, and a fifth of them, by category, for validation. Each pattern has one wording at
 * least that is trained on. The same seed gives the same examples.
 *
 * @throws {LoraError} `leaked-prompt` where a prompt of the test is also trained on
 */
export function makeDataset(patterns: readonly Pattern[], { seed, variants }: DatasetOptions): Dataset {
  const parts = { train: [] as Example[], validation: [] as Example[], test: [] as Example[] };
  const keywords = ownKeywords(patterns);
  for (const group of Map.groupBy(patterns, ({ category }) => category).values()) {
    const pool: Example[] = [];
    for (const pattern of group) {
      const [first, ...others] = pattern.asks.slice(0, -1).map((ask) => formsOf(pattern, ask, variants, seed));
      const [plain, ...rest] = first ?? [];
      if (plain !== undefined) parts.train.push(plain);
      pool.push(
        ...rest,
        ...others.flat(),
        ...(keywords.get(pattern) ?? []).map(({ prompt }) => exampleOf(pattern, prompt)),
      );
      parts.test.push(...formsOf(pattern, pattern.asks.at(-1) ?? "", 1, seed));
    }
    const count = Math.round((pool.length + group.length) * VALIDATION_SHARE);
    const mixed = shuffled(pool, new RandomStream(seed, `validation/${group[0]?.category}`));
    parts.validation.push(...mixed.slice(0, count));
    parts.train.push(...mixed.slice(count));
  }
  refuseLeaks(parts);
  return {
    train: shuffled(parts.train, new RandomStream(seed, "order/train")),
    validation: shuffled(parts.validation, new RandomStream(seed, "order/validation")),
    test: parts.test,
  };
}

/** A wording, and some of its variants that chance takes. */
function formsOf(pattern: Pattern, ask: string, variants: number, seed: number): Example[] {
  const others = shuffled(variantsOf(ask), new RandomStream(seed, `variants/${ask}`)).slice(0, variants);
  return [ask, ...others].map((prompt) => exampleOf(pattern, prompt));
}

/** Keywords of what is trained on, each once, but for those that another pattern or a whole wording has, too. */
function ownKeywords(patterns: readonly Pattern[]): ReadonlyMap<Pattern, readonly { readonly prompt: string }[]> {
  const said = (prompt: string) => plainWords(prompt).join(" ");
  const whole = new Set(patterns.flatMap(({ asks }) => asks.map(said)));
  const typed = patterns.flatMap((pattern) =>
    pattern.asks.slice(0, -1).map((ask) => ({ pattern, prompt: keywordsOf(ask) })),
  );
  const own = [...Map.groupBy(typed, ({ prompt }) => said(prompt))].flatMap(([words, [first, ...others]]) => {
    const isShared = whole.has(words) || others.some(({ pattern }) => pattern !== first?.pattern);
    return first === undefined || isShared ? [] : [first];
  });
  return Map.groupBy(own, ({ pattern }) => pattern);
}

function exampleOf({ id, category, answer }: Pattern, prompt: string): Example {
  return { prompt, answer, category, pattern: id };
}

/** @throws {LoraError} `leaked-prompt` */
export function refuseLeaks({ train, validation, test }: Dataset): void {
  const known = new Map([...train, ...validation].map(({ prompt }) => [plainWords(prompt).join(" "), prompt]));
  for (const { prompt } of test) {
    const leaked = known.get(plainWords(prompt).join(" "));
    if (leaked === undefined) continue;
    const problem = `the test asks "${prompt}", and training has "${leaked}"`;
    throw new LoraError("leaked-prompt", problem, "word the pattern's last ask otherwise");
  }
}

/** In an order that chance gives. @see Fisher and Yates 1938, in Durstenfeld's form of 1964 */
function shuffled<Item>(items: readonly Item[], stream: RandomStream): Item[] {
  const out = [...items];
  for (let last = out.length - 1; last > 0; last -= 1) {
    const other = stream.nextBelow(last + 1);
    [out[last], out[other]] = [out[other] as Item, out[last] as Item];
  }
  return out;
}
