/** Words that change nothing about what is asked. */
const EMPTY_WORDS: ReadonlySet<string> = new Set(["a", "an", "the", "please"]);
/** Share of all words of two texts that both have, from which on they count as the same: one word in ten may differ. */
const SAME_SHARE = 0.9;

/** What a text says, whatever its case, its spaces and its marks: two prompts with the same are one. */
export function plainWords(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !EMPTY_WORDS.has(word));
}

/** A text and where it comes from. */
export interface PlacedText<Place> {
  readonly text: string;
  readonly place: Place;
}

/**
 * Pairs of texts that say the same in nearly the same words, whatever their order: |A ∩ B| / |A ∪ B| ≥ 0.9 over their words
 * (Jaccard).
 *
 * @returns each later one with the first that it repeats
 */
export function nearDuplicates<Place>(
  texts: readonly PlacedText<Place>[],
): [later: PlacedText<Place>, first: PlacedText<Place>][] {
  const bags = texts.map(({ text }) => new Set(plainWords(text)));
  const byWord = new Map<string, number[]>();
  const found: [PlacedText<Place>, PlacedText<Place>][] = [];
  for (const [at, bag] of bags.entries()) {
    const common = new Map<number, number>();
    for (const word of bag) {
      for (const before of byWord.get(word) ?? []) common.set(before, (common.get(before) ?? 0) + 1);
    }
    const isSame = ([before, both]: [number, number]) =>
      both >= SAME_SHARE * (bag.size + (bags[before] as Set<string>).size - both);
    const first = [...common].filter(isSame).sort(([a], [b]) => a - b)[0]?.[0];
    if (first !== undefined) found.push([texts[at] as PlacedText<Place>, texts[first] as PlacedText<Place>]);
    for (const word of bag) byWord.set(word, [...(byWord.get(word) ?? []), at]);
  }
  return found;
}
