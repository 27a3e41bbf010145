import type { RandomStream } from "../../../tensor/random.ts";
import { type Capability, type Example, pick } from "../capability.ts";

const CLOSER = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
]);
const OPENERS = [...CLOSER.keys()];
const NAMES = ["i", "n", "row", "item", "key", "at", "left", "cell"];
const LISTS = ["rows", "items", "keys", "cells", "names", "words"];
/** Brackets of a question, and how many of them may stand open. */
const MOST_BRACKETS = 6;
const MOST_OPEN = 3;

/** What closes brackets that stand open, and lines that a language says otherwise. */
export const CODE: Capability = {
  category: "code",
  title: "closing brackets in order, and loops of one language in another",
  draw(random) {
    return random.nextBelow(2) === 0 ? brackets(random) : loop(random);
  },
};

function brackets(random: RandomStream): Example {
  const open: string[] = [];
  let prompt = "";
  const count = 3 + random.nextBelow(MOST_BRACKETS - 2);
  for (let at = 0; at < count; at += 1) {
    const mayOpen = open.length < MOST_OPEN;
    // The last one opens where it may, so that something is always left to close.
    const isLast = at === count - 1;
    if (open.length === 0 || (mayOpen && (isLast || random.nextBelow(5) < 3))) {
      const opener = pick(random, OPENERS);
      open.push(opener);
      prompt += opener;
    } else {
      prompt += closerOf(open.pop() ?? "");
    }
  }
  return { prompt, answer: open.toReversed().map(closerOf).join("") };
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
