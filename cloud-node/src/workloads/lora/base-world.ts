import { RandomStream } from "../../tensor/random.ts";
import type { Lexicon } from "./lexicon.ts";
import { capital, type LineKind, pick, writtenLine } from "./written-line.ts";

/**
 * How much is known in the world of the text: so little that each of it is met often enough to be learned, and with it how the few
 * words that matter in a question lead to its answer.
 */
const KNOWN = { fact: 100, task: 80, trouble: 50 } as const;

/** What can be known. */
export type KnownKind = keyof typeof KNOWN;

/** Something that is so in the world of the small model's text, and nowhere else. */
export interface WorldEntry {
  readonly kind: KnownKind;
  /** Words that tell it from everything else, by the slots of a wording. */
  readonly slots: Readonly<Record<string, string>>;
  readonly answer: string;
}

/** A template with words in its slots: `{a}`, and `{A}` for the same with a capital. */
export function filled(template: string, slots: Readonly<Record<string, string>>): string {
  return template.replace(
    /\{(\w)\}/g,
    (slot, name: string) => slots[name] ?? capital(slots[name.toLowerCase()] ?? slot),
  );
}

/** A world of its own for each seed: nothing but its words tells what the answer to a question is. */
export function makeWorld(lexicon: Lexicon, seed: number): readonly WorldEntry[] {
  const stream = new RandomStream(seed, "world");
  const entries = new Map<string, WorldEntry>();
  for (const [kind, count] of Object.entries(KNOWN) as [KnownKind, number][]) {
    const most = entries.size + count;
    while (entries.size < most) {
      const slots = keysOf[kind](lexicon, stream);
      const key = Object.values(slots).join("/");
      if (!entries.has(key))
        entries.set(key, { kind, slots, answer: writtenLine(lexicon, ANSWER_KINDS[kind], stream) });
    }
  }
  return [...entries.values()];
}

const keysOf: Readonly<Record<KnownKind, (lexicon: Lexicon, stream: RandomStream) => Record<string, string>>> = {
  fact: ({ attributes, things, places, people }, stream) => ({
    a: pick(stream, attributes),
    b: pick(stream, pick(stream, [things, places, people])),
  }),
  task: ({ verbs, nouns, tools }, stream) => {
    const v = pick(stream, verbs);
    return { v, u: thirdPerson(v), n: pick(stream, nouns), t: pick(stream, tools) };
  },
  trouble: ({ errors, nouns, problems }, stream) => ({
    e: pick(stream, errors),
    n: pick(stream, nouns),
    p: pick(stream, problems),
  }),
};

/** What an answer of the world is like. */
const ANSWER_KINDS = { fact: "short", task: "code", trouble: "advice" } as const satisfies Record<KnownKind, LineKind>;

function thirdPerson(verb: string): string {
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ies`;
  return /(s|sh|ch|x)$/.test(verb) ? `${verb}es` : `${verb}s`;
}
