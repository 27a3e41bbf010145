import { RandomStream } from "../../tensor/random.ts";

/** What teachers are good at; the word that a registry has for each. */
export const CATEGORIES = ["arithmetic", "code", "formats", "language", "facts", "signal"] as const;
export type Category = (typeof CATEGORIES)[number];

/** A question with its one right answer. */
export interface Example {
  readonly prompt: string;
  readonly answer: string;
}

/** Something that can be taught and checked: questions without end, each with its one right answer. */
export interface Capability {
  readonly category: Category;
  /** One line: what is asked. */
  readonly title: string;
  /** One of its questions. */
  draw(random: RandomStream): Example;
}

/** Of all questions, one in so many is asked in tests, and never taught. */
const HELD_OUT_OF = 8;

/** Whether a question is one of the tests': that follows from its words alone, so that no seed brings it into training. */
export function isHeldOut({ prompt }: Example): boolean {
  return new RandomStream(0, `held out/${prompt}`).nextBelow(HELD_OUT_OF) === 0;
}

/** Questions to learn from, without end. */
export function* trainingExamples(capability: Capability, seed: number): Generator<Example, never> {
  const random = new RandomStream(seed, `examples of ${capability.category}`);
  for (;;) {
    const example = capability.draw(random);
    if (!isHeldOut(example)) yield example;
  }
}

/** Draws of one question that a benchmark has not yet, before it is taken as complete. */
const MOST_DRAWS = 10_000;

/** Questions that nobody learns from, each once; the same for everybody. @param count  fewer where there are no more */
export function benchmarkOf(capability: Capability, count: number): Example[] {
  const random = new RandomStream(0, `benchmark of ${capability.category}`);
  const chosen = new Map<string, Example>();
  for (let draws = 0; chosen.size < count && draws < MOST_DRAWS; draws += 1) {
    const example = capability.draw(random);
    if (!isHeldOut(example) || chosen.has(example.prompt)) continue;
    chosen.set(example.prompt, example);
    draws = 0;
  }
  return [...chosen.values()];
}

/** One of some things. */
export function pick<T>(random: RandomStream, things: readonly T[]): T {
  return things[random.nextBelow(things.length)] as T;
}
