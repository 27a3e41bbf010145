import { RandomStream } from "../../../tensor/random.ts";
import { type Capability, pick } from "../capability.ts";

const NOUNS = ["dog", "cat", "bird", "king", "stone", "tree", "boat", "star"];
const ADJECTIVES = ["red", "old", "small", "kind", "dark"];
const VERBS = ["sees", "finds", "takes", "likes", "hears"];
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
    const [subject, object, verb] = [pick(random, NOUNS), pick(random, NOUNS), pick(random, VERBS)];
    const seen = `${NOUN.get(object)}${OBJECT_MARK}`;
    if (random.nextBelow(4) === 0) {
      return { prompt: `${subject} ${verb} ${object}`, answer: `${NOUN.get(subject)} ${seen} ${VERB.get(verb)}` };
    }
    const adjective = pick(random, ADJECTIVES);
    return {
      prompt: `${subject} ${verb} ${adjective} ${object}`,
      answer: `${NOUN.get(subject)} ${seen} ${ADJECTIVE.get(adjective)} ${VERB.get(verb)}`,
    };
  },
};
