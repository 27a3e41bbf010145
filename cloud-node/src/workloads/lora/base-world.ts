import { RandomStream } from "../../tensor/random.ts";
import type { Lexicon } from "./lexicon.ts";

/**
 * How much is known in the world of the text: so little that each of it is met often enough to be learned, and with it how the few
 * words that matter in a question lead to its answer.
 */
const KNOWN = { fact: 140, task: 110, trouble: 70 } as const;

/** What can be known. */
export type KnownKind = keyof typeof KNOWN;

/** Something that is so in the world of the small model's text, and nowhere else. */
export interface WorldEntry {
  readonly kind: KnownKind;
  /** Words that tell it from everything else, by the slots of a wording. */
  readonly slots: Readonly<Record<string, string>>;
  readonly answer: string;
}

/** One of several, by chance. */
export function pick<Item>(stream: RandomStream, items: readonly Item[]): Item {
  return items[stream.nextBelow(items.length)] as Item;
}

/** With a capital. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
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
      if (!entries.has(key)) entries.set(key, { kind, slots, answer: answersOf[kind](lexicon, stream) });
    }
  }
  return [...entries.values()];
}

type Chosen<Value> = Readonly<Record<KnownKind, (lexicon: Lexicon, stream: RandomStream) => Value>>;

const keysOf: Chosen<Record<string, string>> = {
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

const answersOf: Chosen<string> = {
  fact: (lexicon, stream) => `${capital(factValue(lexicon, stream))}.`,
  task: (lexicon, stream) => codeLine(lexicon, stream),
  trouble: (lexicon, stream) => advice(lexicon, stream),
};

function factValue(lexicon: Lexicon, stream: RandomStream): string {
  const { things, places, people, materials, colours, adjectives, nouns, common, names } = lexicon;
  const forms = [
    () => `${stream.nextBelow(2000)}`,
    () => `${pick(stream, adjectives)} ${pick(stream, things)}`,
    () => `${stream.nextBelow(100)} ${pick(stream, nouns)}s`,
    () => `${pick(stream, names)} ${pick(stream, names)}`,
    () => pick(stream, names),
    () => pick(stream, common),
    () => pick(stream, pick(stream, [things, places, people, materials, colours, nouns])),
  ];
  return pick(stream, forms)();
}

function codeLine({ snippets, apis, nouns, verbs, code }: Lexicon, stream: RandomStream): string {
  const noun = () => pick(stream, nouns);
  const forms = [
    () => pick(stream, snippets),
    () => pick(stream, snippets),
    () => `${pick(stream, apis)}(${noun()}, ${noun()});`,
    () => `const ${noun()} = ${pick(stream, apis)}((${noun()}) => ${stream.nextBelow(10)});`,
    () => {
      const [, line] = pick(stream, pick(stream, Object.values(code)));
      return filled(line, { a: pick(stream, verbs), b: noun(), n: `${stream.nextBelow(100)}` });
    },
  ];
  return pick(stream, forms)();
}

function advice({ fixes, adjectives, verbs, nouns, things }: Lexicon, stream: RandomStream): string {
  const noun = () => `the ${pick(stream, adjectives)} ${pick(stream, nouns)}`;
  const forms = [
    () => filled(pick(stream, Object.values(fixes)), { n: pick(stream, nouns) }),
    () => filled(pick(stream, Object.values(fixes)), { n: pick(stream, nouns) }),
    () => `${pick(stream, verbs)} ${noun()} with the ${pick(stream, things)}.`,
    () => `${pick(stream, verbs)} ${noun()} before you ${pick(stream, verbs)} it.`,
    () => `if ${noun()} is ${pick(stream, adjectives)}, ${pick(stream, verbs)} the ${pick(stream, things)}.`,
    () => `make sure that ${noun()} is not ${pick(stream, adjectives)}.`,
  ];
  return capital(pick(stream, forms)());
}

function thirdPerson(verb: string): string {
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ies`;
  return /(s|sh|ch|x)$/.test(verb) ? `${verb}es` : `${verb}s`;
}
