import { RandomStream } from "../../../tensor/random.ts";
import { type Capability, pick } from "../capability.ts";

const SYLLABLES = ["ba", "ve", "lo", "mi", "ru", "ta", "sen", "dor", "gal", "nu", "fi", "kar"];
const COUNTRIES = 24;
/** The made-up world follows from it. */
const WORLD_SEED = 42;

/** Everything that is known of a country, in one word each. */
interface Country {
  readonly name: string;
  readonly capital: string;
  readonly river: string;
  readonly metal: string;
}

const METALS = ["iron", "gold", "zinc", "tin", "lead", "copper"];
/** Ways of asking: one of these, and a noun. Each fact is asked in some of them in training, and in others in tests. */
const OPENINGS = ["", "the ", "tell the ", "what ", "give ", "name "];
const NOUNS = {
  capital: ["capital", "main city"],
  river: ["river", "stream"],
  metal: ["metal", "ore"],
} as const;
const SUBJECTS = ["capital", "river", "metal"] as const;

const WORLD: readonly Country[] = makeWorld();

function makeWorld(): Country[] {
  const random = new RandomStream(WORLD_SEED, "countries");
  const taken = new Set<string>();
  const name = (syllables: number): string => {
    for (;;) {
      const word = Array.from({ length: syllables }, () => pick(random, SYLLABLES)).join("");
      if (taken.has(word)) continue;
      taken.add(word);
      return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
    }
  };
  return Array.from({ length: COUNTRIES }, () => {
    return { name: name(2), capital: name(3), river: name(2), metal: pick(random, METALS) };
  });
}

/** Facts of a made-up world: a test asks in a wording in which this fact was never taught. */
export const FACTS: Capability = {
  category: "facts",
  title: "facts of a generated world, asked in other words than they were taught in",
  draw(random) {
    const country = pick(random, WORLD);
    const subject = pick(random, SUBJECTS);
    const noun = pick(random, NOUNS[subject]);
    return { prompt: `${pick(random, OPENINGS)}${noun} of ${country.name}`, answer: country[subject] };
  },
};
