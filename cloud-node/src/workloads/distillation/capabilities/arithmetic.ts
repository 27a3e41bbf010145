import { type Capability, pick } from "../capability.ts";

/** Numbers have three digits. */
const FROM = 100;
const BELOW = 1000;
const STEPS = [1, 10, 100];

/** A number of three digits, and one, ten or a hundred more or less: all that can be hard is what is carried. */
export const ARITHMETIC: Capability = {
  category: "arithmetic",
  title: "a number of three digits, and one, ten or a hundred more or less",
  draw(random) {
    const number = FROM + random.nextBelow(BELOW - FROM);
    const step = pick(random, STEPS);
    const isSum = random.nextBelow(2) === 0;
    return { prompt: `${number}${isSum ? "+" : "-"}${step}`, answer: String(isSum ? number + step : number - step) };
  },
};
