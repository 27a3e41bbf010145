import type { Tokenizer } from "../language-model/tokenizer.ts";
import type { AnswerOptions } from "./answerer.ts";
import type { Lookup, Pattern } from "./example.ts";
import { HashedMemory } from "./hashed-memory.ts";
import { LookupRouter, withoutKey } from "./lookup-router.ts";
import { LoraError } from "./lora-error.ts";
import { plainWords } from "./near-duplicate.ts";

const HEADS = 4;
/** The router has to be as sure as this, or the model is left alone. */
const LEAST_GATE = 0.75;
/** Added to a token's logit when the gate is fully open: more than a model's likeliest token is ever ahead of the others. */
const STRENGTH = 50;

/** What the memory makes of a prompt. */
export interface Recall {
  readonly lookup: Lookup;
  readonly answer: string;
  /** How far the gate is open, in [0.75, 1]: how sure the router is; heads that do not know the key keep it shut. */
  readonly gate: number;
}

/** What is remembered. */
interface Row {
  readonly lookup: Lookup;
  readonly answer: string;
  readonly tokens: readonly number[];
}

/**
 * An exact memory beside a model, for tables with more rows than weights can be taught in short time. A router says which table
 * a prompt asks, hashed n-grams of its words say which row, and a gate says how much the row's tokens are worth at the logits.
 * Where no table is meant, or the key is in none, nothing is added to the model's own numbers.
 *
 * @see X. Cheng et al. 2026, "Conditional memory via scalable lookup" (hashed n-grams of several heads, and a gate, inside the
 * layers of a large model; here at the logits of a small one)
 */
export class ConditionalMemory {
  readonly #router: LookupRouter;
  readonly #memory: HashedMemory;
  readonly #rows: readonly Row[];
  readonly #end: number;
  /** Words of a key at most. */
  readonly #mostWords: number;

  /**
   * @param patterns  all of them: those with a table are remembered, and the others say what free text is like
   * @param end  the token that ends an answer
   * @throws {LoraError} `near-duplicate` where two tables of one name have the same key
   */
  constructor(patterns: readonly Pattern[], tokenizer: Tokenizer, end: number) {
    this.#router = LookupRouter.learn(patterns);
    this.#rows = patterns.flatMap(({ lookup, answer }) =>
      lookup === undefined ? [] : [{ lookup, answer, tokens: [...tokenizer.encode(answer), end] }],
    );
    refuseSameKeys(this.#rows);
    this.#memory = HashedMemory.of(this.#rows.map(rowKey), HEADS);
    this.#mostWords = Math.max(0, ...this.#rows.map(({ lookup }) => plainWords(lookup.key).length));
    this.#end = end;
  }

  /** Of hashes and of the answers' tokens, two bytes each. */
  get bytes(): number {
    return this.#memory.bytes + this.#rows.reduce((sum, { tokens }) => sum + 2 * tokens.length, 0);
  }

  get entries(): number {
    return this.#rows.length;
  }

  /** The row that a prompt asks for; undefined where it asks for none. */
  recall(prompt: string): Recall | undefined {
    const found = this.#find(prompt);
    if (found === undefined) return undefined;
    const { row, gate } = found;
    return { lookup: row.lookup, answer: row.answer, gate };
  }

  /** What is added to the logits of an answer to this prompt: undefined where the model is left alone. */
  adjustFor(prompt: string): AnswerOptions["adjust"] {
    const found = this.#find(prompt);
    if (found === undefined) return undefined;
    const { row, gate } = found;
    return (logits, produced) => {
      const isOnTheWay = produced.every((token, at) => row.tokens[at] === token);
      const next = isOnTheWay ? row.tokens[produced.length] : this.#end;
      if (next !== undefined) logits[next] = (logits[next] as number) + gate * STRENGTH;
    };
  }

  #find(prompt: string): { row: Row; gate: number } | undefined {
    const words = plainWords(prompt);
    let best: { row: Row; gate: number } | undefined;
    for (let length = Math.min(this.#mostWords, words.length); length > 0; length -= 1) {
      for (let from = 0; from + length <= words.length; from += 1) {
        const gram = words.slice(from, from + length);
        const route = this.#router.route(withoutKey(words, gram.join(" ")));
        const found = route === undefined ? undefined : this.#memory.find(keyOf(route.table, gram));
        const row = found === undefined ? undefined : this.#rows[found.entry];
        const gate = route?.probability ?? 0;
        if (row !== undefined && gate >= LEAST_GATE && gate > (best?.gate ?? 0)) best = { row, gate };
      }
    }
    return best;
  }
}

function refuseSameKeys(rows: readonly Row[]): void {
  const known = new Set<string>();
  for (const row of rows) {
    const key = rowKey(row);
    if (known.has(key)) {
      const problem = `there are two tables ${row.lookup.table} with the key ${JSON.stringify(row.lookup.key)}`;
      throw new LoraError("near-duplicate", problem, "name one of them otherwise, or leave one of the rows out");
    }
    known.add(key);
  }
}

function rowKey({ lookup: { table, key } }: Row): string {
  return keyOf(table, plainWords(key));
}

function keyOf(table: string, words: readonly string[]): string {
  return `${table}/${words.join(" ")}`;
}
