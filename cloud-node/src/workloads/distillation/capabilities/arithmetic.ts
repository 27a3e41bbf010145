import type { Capability } from "../capability.ts";

/** Numbers have two digits. */
const FROM = 10;
const BELOW = 100;

/** Sums and differences of two numbers of two digits. */
export const ARITHMETIC: Capability = {
  category: "arithmetic",
  title: "sums and differences of numbers of two digits",
  draw(random) {
    const [a, b] = [FROM + random.nextBelow(BELOW - FROM), FROM + random.nextBelow(BELOW - FROM)];
    const isSum = random.nextBelow(2) === 0;
    return { prompt: `${a}${isSum ? "+" : "-"}${b}`, answer: String(isSum ? a + b : a - b) };
  },
};
