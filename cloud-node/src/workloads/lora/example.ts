import * as v from "valibot";

/** What tables and terminals show as it stands: a name of a category, or of a result. */
export const shownName = v.pipe(
  v.string(),
  v.regex(/^\P{C}{0,200}$/u, "a name has 200 characters at most, none of which steers a terminal"),
);

/** Something to be taught: one answer, and several ways to ask for it. */
export interface Pattern {
  /** Unique among all that are read together: the category and a number, `facts/12`. */
  readonly id: string;
  readonly category: string;
  /** Wordings of a person, at least three: the last is kept for the test. */
  readonly asks: readonly string[];
  readonly answer: string;
  /** Of a table in which a key has one value. */
  readonly lookup?: Lookup;
}

/** Where an answer stands in a table. */
export interface Lookup {
  readonly table: string;
  readonly key: string;
}

/** One prompt and the answer to it. */
export interface Example {
  readonly prompt: string;
  readonly answer: string;
  readonly category: string;
  /** Of the pattern that it was made from. */
  readonly pattern: string;
}
