import type { RandomStream } from "../../../tensor/random.ts";
import { type Capability, type Example, pick } from "../capability.ts";

const CLOSER = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
]);
const OPENERS = [...CLOSER.keys()];
const NAMES = ["i", "n", "row", "key", "at", "cell"];
const LISTS = ["rows", "items", "keys", "cells", "names", "words"];
/** Brackets that a question leaves open, at most. */
const MOST_OPEN = 3;

/** What closes brackets that stand open, and lines that a language says otherwise. */
export const CODE: Capability = {
  category: "code",
  title: "closing brackets in order, and loops of one language in another",
  draw(random) {
    return random.nextBelow(2) === 0 ? brackets(random) : loop(random);
  },
};

/** What is open, with names and calls that are closed already in between. */
function brackets(random: RandomStream): Example {
  const open = Array.from({ length: 1 + random.nextBelow(MOST_OPEN) }, () => pick(random, OPENERS));
  const between = () => ["", pick(random, NAMES), `${pick(random, NAMES)}()`][random.nextBelow(3)] as string;
  return {
    prompt: open.map((opener) => between() + opener).join(""),
    answer: open.toReversed().map(closerOf).join(""),
  };
}

function closerOf(opener: string): string {
  return CLOSER.get(opener) ?? "";
}

function loop(random: RandomStream): Example {
  const [name, list] = [pick(random, NAMES), pick(random, LISTS)];
  const [from, to] = [random.nextBelow(10), random.nextBelow(10)];
  if (random.nextBelow(2) === 0) {
    return { prompt: `py for ${name} of ${list}`, answer: `for ${name} in ${list}:` };
  }
  return { prompt: `py for ${name} from ${from} to ${to}`, answer: `for ${name} in range(${from}, ${to}):` };
}
