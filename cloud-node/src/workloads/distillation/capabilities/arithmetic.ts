import type { Capability } from "../capability.ts";

/** Both numbers are below. */
const BELOW = 100;

/** Sums and differences of two numbers below a hundred. */
export const ARITHMETIC: Capability = {
  category: "arithmetic",
  title: "sums and differences of numbers below 100",
  draw(random) {
    const [a, b] = [random.nextBelow(BELOW), random.nextBelow(BELOW)];
    const isSum = random.nextBelow(2) === 0;
    return { prompt: `${a}${isSum ? "+" : "-"}${b}`, answer: String(isSum ? a + b : a - b) };
  },
};
