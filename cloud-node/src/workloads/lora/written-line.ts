import type { RandomStream } from "../../tensor/random.ts";
import type { Lexicon } from "./lexicon.ts";

/** What can be written by chance. */
export type LineKind = keyof Lexicon["lines"];

/** One of several, by chance. */
export function pick<Item>(stream: RandomStream, items: readonly Item[]): Item {
  return items[stream.nextBelow(items.length)] as Item;
}

/** With a capital. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** A line of code or text that nobody wrote, though somebody could have: each slot of a template has a word of its own. */
export function writtenLine(lexicon: Lexicon, kind: LineKind, stream: RandomStream): string {
  const { nouns, verbs, adjectives, identifiers, apis, common, names, subjects, lines } = lexicon;
  const digits = (most: number) => `${stream.nextBelow(most)}`;
  const wordOf: Readonly<Record<string, () => string>> = {
    i: () => pick(stream, pick(stream, [identifiers, identifiers, nouns])),
    f: () => pick(stream, apis),
    n: () => pick(stream, nouns),
    N: () => capital(pick(stream, nouns)),
    U: () => pick(stream, nouns).toUpperCase(),
    v: () => pick(stream, verbs),
    V: () => capital(pick(stream, verbs)),
    a: () => pick(stream, adjectives),
    w: () => pick(stream, pick(stream, [common, subjects, nouns])),
    C: () => capital(pick(stream, pick(stream, [common, names, names, subjects]))),
    k: () => digits(pick(stream, [10, 10, 100])),
    d: () => digits(60).padStart(2, "0"),
    h: () => stream.nextBelow(256).toString(16).padStart(2, "0"),
    x: () => pick(stream, [..."abcdlnoprstxy"]),
    X: () => pick(stream, [..."CLXVI"]),
  };
  return pick(stream, lines[kind]).replace(/\{(\w)\}/g, (slot, name: string) => wordOf[name]?.() ?? slot);
}
