import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { parse } from "yaml";
import { InvariantError } from "../../invariant-error.ts";

/** Beside the sources: what is built has none of it. */
const FOLDER = import.meta.url.endsWith(".ts") ? "." : "../../../src/workloads/lora";

const words = v.pipe(
  v.string(),
  v.transform((text) => text.trim().split(/\s+/)),
);
const wordings = v.pipe(v.array(v.string()), v.minLength(1));
const templates = v.array(v.tuple([v.string(), v.string()]));

const lexiconSchema = v.strictObject({
  things: words,
  materials: words,
  colours: words,
  people: words,
  places: words,
  adjectives: words,
  verbs: words,
  nouns: words,
  /** Words of what the patterns are about. */
  subjects: words,
  /** English words of every kind, for word lists, so that the tokenizer knows them. */
  common: words,
  /** Of people, places and things that there are; the text says nothing true of them. */
  names: words,
  apis: words,
  tools: words,
  attributes: words,
  errors: words,
  problems: words,
  /** Names in code. */
  identifiers: words,
  /** Lines with slots for words, by kind. */
  lines: v.strictObject({ code: wordings, advice: wordings, short: wordings, form: wordings }),
  /** What lines are called, by kind. */
  kinds: v.strictObject({ code: v.string(), advice: v.string(), short: v.string(), form: v.string() }),
  /** An instruction and the line that follows it, by language. */
  code: v.record(v.string(), templates),
  /** What a form is called, and the form. */
  formats: templates,
  /** Wordings of questions, by what is asked. */
  asks: v.strictObject({ fact: wordings, task: wordings, trouble: wordings, form: wordings, line: wordings }),
});

/** The words of the small model's text. */
export type Lexicon = v.InferOutput<typeof lexiconSchema>;

/** The one that is shipped. */
export function readLexicon(): Lexicon {
  const text = readFileSync(fileURLToPath(new URL(`${FOLDER}/lexicon.yaml`, import.meta.url)), "utf8");
  const { output, issues } = v.safeParse(lexiconSchema, parse(text));
  if (issues !== undefined) throw new InvariantError(`lexicon.yaml: ${issues[0].message}`);
  return output;
}
