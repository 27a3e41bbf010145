import { RandomStream } from "../../../tensor/random.ts";
import { type Capability, pick } from "../capability.ts";

const NOUNS = ["dog", "cat", "bird", "king", "child", "river", "stone", "tree", "boat", "star"];
const ADJECTIVES = ["red", "old", "small", "kind", "dark", "fast"];
const VERBS = ["sees", "finds", "takes", "likes", "hears", "leaves"];
const CONSONANTS = [..."ptkmnlrsv"];
const VOWELS = [..."aeiou"];
/** The words of the other language follow from it. */
const DICTIONARY_SEED = 42;

/** A word of two syllables for each of ours; no two alike. Its last letter says what it is. */
function dictionaryOf(words: readonly string[], ending: string): ReadonlyMap<string, string> {
  const random = new RandomStream(DICTIONARY_SEED, `words that end in ${ending}`);
  const taken = new Set<string>();
  return new Map(
    words.map((word) => {
      let other = "";
      while (other === "" || taken.has(other)) {
        other = pick(random, CONSONANTS) + pick(random, VOWELS) + pick(random, CONSONANTS) + ending;
      }
      taken.add(other);
      return [word, other];
    }),
  );
}

const NOUN = dictionaryOf(NOUNS, "o");
const ADJECTIVE = dictionaryOf(ADJECTIVES, "i");
const VERB = dictionaryOf(VERBS, "ar");
/** Who is seen and does not see has it behind the noun. */
const OBJECT_MARK = "n";

/** Sentences in a language of its own: adjectives stand behind nouns, the verb stands last, the object has a mark. */
export const LANGUAGE: Capability = {
  category: "language",
  title: "sentences in a generated language, with its own order of words",
  draw(random) {
    const [subject, object] = [pick(random, NOUNS), pick(random, NOUNS)];
    const verb = pick(random, VERBS);
    const [of, at] = [random.nextBelow(2), random.nextBelow(2)].map((has) =>
      has === 1 ? pick(random, ADJECTIVES) : undefined,
    );
    const english = (adjective: string | undefined, noun: string) =>
      adjective === undefined ? noun : `${adjective} ${noun}`;
    const other = (adjective: string | undefined, noun: string, mark: string) =>
      `${NOUN.get(noun)}${mark}${adjective === undefined ? "" : ` ${ADJECTIVE.get(adjective)}`}`;
    return {
      prompt: `say ${english(of, subject)} ${verb} ${english(at, object)}`,
      answer: `${other(of, subject, "")} ${other(at, object, OBJECT_MARK)} ${VERB.get(verb)}`,
    };
  },
};
