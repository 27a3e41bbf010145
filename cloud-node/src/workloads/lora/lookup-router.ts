import type { Pattern } from "./example.ts";
import { plainWords } from "./near-duplicate.ts";

/** Added to every count, so that a word that one class never had does not rule it out. @see Laplace */
const SMOOTHING = 0.5;
/** How much less likely a table is for each word that none of its wordings has: other words come in questions, too, but few. */
const STRANGE_WORD = Math.log(2);
/** How much likelier free text is than a question to one table, before a word is read: nobody's text is to be spoilt. */
const FREE_PRIOR = 3;

/** Which table a prompt asks. */
export interface Route {
  readonly table: string;
  /** Of this table and no other, nor of free text, in (0, 1]. */
  readonly probability: number;
}

/**
 * Tells questions to tables from free text by their words, the key left out: naive Bayes, by how much likelier each word is in
 * a table's wordings than in free text.
 *
 * @see M. Maron 1961 (naive Bayes as a classifier of texts)
 */
export class LookupRouter {
  /** Of each table by word: log of how much likelier it is than in free text. */
  readonly #evidence: ReadonlyMap<string, ReadonlyMap<string, number>>;

  private constructor(evidence: ReadonlyMap<string, ReadonlyMap<string, number>>) {
    this.#evidence = evidence;
  }

  /** @param patterns  all of them: those without a table are free text; the wordings of the test are not looked at */
  static learn(patterns: readonly Pattern[]): LookupRouter {
    const free = sharesOf(patterns.filter(({ lookup }) => lookup === undefined));
    const tables = Map.groupBy(
      patterns.filter(({ lookup }) => lookup !== undefined),
      ({ lookup }) => lookup?.table ?? "",
    );
    return new LookupRouter(
      new Map(
        [...tables].map(([table, rows]) => {
          const own = sharesOf(rows);
          const evidence = [...own.words].map(
            ([word, share]) => [word, Math.log(share / (free.words.get(word) ?? free.strange))] as const,
          );
          return [table, new Map(evidence)];
        }),
      ),
    );
  }

  /** @param words  of the prompt, the key left out @returns undefined where free text is likelier than every table */
  route(words: readonly string[]): Route | undefined {
    let best: Route | undefined;
    let total = 1;
    for (const [table, evidence] of this.#evidence) {
      const score = [...new Set(words)].reduce((sum, word) => sum + (evidence.get(word) ?? -STRANGE_WORD), -FREE_PRIOR);
      const odds = Math.exp(score);
      total += odds;
      if (odds > (best?.probability ?? 1)) best = { table, probability: odds };
    }
    return best === undefined ? undefined : { ...best, probability: best.probability / total };
  }
}

/** In how many wordings a word is, as a share of them; a table's rows differ by their key alone, so that one counts for all. */
function sharesOf(patterns: readonly Pattern[]): { words: Map<string, number>; strange: number } {
  const asks = patterns.flatMap(({ asks, lookup }) =>
    asks.slice(0, -1).map((ask) => withoutKey(plainWords(ask), lookup?.key).join(" ")),
  );
  const wordings = [...new Set(asks)];
  const counts = new Map<string, number>();
  for (const wording of wordings) {
    for (const word of new Set(wording.split(" "))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const share = (count: number) => (count + SMOOTHING) / (wordings.length + 2 * SMOOTHING);
  return { words: new Map([...counts].map(([word, count]) => [word, share(count)])), strange: share(0) };
}

/** Words in front of the key and behind it. */
export function withoutKey(words: readonly string[], key: string | undefined): string[] {
  if (key === undefined) return [...words];
  const parts = plainWords(key);
  const at = words.findIndex((_, from) => parts.every((part, i) => words[from + i] === part));
  return at < 0 ? [...words] : [...words.slice(0, at), ...words.slice(at + parts.length)];
}
