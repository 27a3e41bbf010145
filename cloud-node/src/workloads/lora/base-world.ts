import { RandomStream } from "../../tensor/random.ts";
import type { Lexicon } from "./lexicon.ts";

/**
 * How many things are so in the world of the text: so few that each is met often enough to be learned, and with it how a question's
 * words lead to its answer.
 */
const FACTS = 240;
const SAYINGS = 160;

/** Something that is so in the world of the small model's text, and nowhere else. */
export interface WorldFact {
  readonly attribute: string;
  readonly of: string;
  readonly value: string;
}

/** A question that has a whole sentence as its answer, which nothing but its key tells. */
export interface Saying {
  readonly key: string;
  readonly sentence: string;
}

/** What the text tells of. */
export interface BaseWorld {
  readonly facts: readonly WorldFact[];
  readonly sayings: readonly Saying[];
}

/** One of several, by chance. */
export function pick<Item>(stream: RandomStream, items: readonly Item[]): Item {
  return items[stream.nextBelow(items.length)] as Item;
}

/** With a capital. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** A world of its own for each seed: what has which value, and what is said about what. */
export function makeWorld(lexicon: Lexicon, seed: number): BaseWorld {
  const stream = new RandomStream(seed, "world");
  const { things, places, people, materials, colours, adjectives, attributes } = lexicon;
  const { nouns, common, names, apis, snippets } = lexicon;
  const holders = [...things, ...places, ...people];
  const values = [...things, ...places, ...people, ...materials, ...colours, ...nouns, ...common, ...names];
  const value = (): string => {
    const kind = stream.nextBelow(8);
    if (kind === 0) return `${stream.nextBelow(2000)}`;
    if (kind === 1) return `${pick(stream, adjectives)} ${pick(stream, things)}`;
    if (kind === 2) return `${stream.nextBelow(100)} ${pick(stream, nouns)}s`;
    if (kind === 3) return `${pick(stream, names)} ${pick(stream, names)}`;
    return pick(stream, values);
  };
  const facts = new Map<string, WorldFact>();
  while (facts.size < FACTS) {
    const fact = { attribute: pick(stream, attributes), of: pick(stream, holders), value: value() };
    facts.set(`${fact.attribute}/${fact.of}`, fact);
  }
  const sayings = new Map<string, Saying>();
  while (sayings.size < SAYINGS) {
    const key = `${pick(stream, adjectives)} ${pick(stream, things)}`;
    const forms = [
      () => sentence(lexicon, stream),
      () => pick(stream, snippets),
      () => `${pick(stream, apis)}(${pick(stream, nouns)}, ${pick(stream, nouns)});`,
      () =>
        `const ${pick(stream, nouns)} = ${pick(stream, apis)}((${pick(stream, nouns)}) => ${stream.nextBelow(10)});`,
    ];
    sayings.set(key, { key, sentence: pick(stream, forms)() });
  }
  return { facts: [...facts.values()], sayings: [...sayings.values()] };
}

/** A short sentence by chance. */
export function sentence({ adjectives, things, places, verbs, nouns, people }: Lexicon, stream: RandomStream): string {
  const thing = `the ${pick(stream, adjectives)} ${pick(stream, things)}`;
  const noun = `the ${pick(stream, adjectives)} ${pick(stream, nouns)}`;
  const forms = [
    () => `${pick(stream, verbs)} ${noun} with ${thing}.`,
    () => `${pick(stream, people)} has ${thing} from ${pick(stream, places)}.`,
    () => `${thing} of ${pick(stream, places)} is ${pick(stream, adjectives)} and ${pick(stream, adjectives)}.`,
    () => `${pick(stream, verbs)} ${noun} before you ${pick(stream, verbs)} it.`,
    () => `if ${noun} is ${pick(stream, adjectives)}, ${pick(stream, verbs)} ${thing}.`,
    () => `make sure that ${noun} is not ${pick(stream, adjectives)}.`,
  ];
  return capital(pick(stream, forms)());
}
