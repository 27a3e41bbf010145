import { beforeAll, expect, test } from "vitest";
import { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import { baseText, TURN_BEGIN, TURN_END } from "./base-text.ts";
import { readLexicon } from "./lexicon.ts";
import { BASE_SIZES } from "./make-base.ts";
import { plainWords } from "./near-duplicate.ts";
import { loadPatterns } from "./shipped-patterns.ts";
import { trainBytePairs } from "./train-bpe.ts";

const DOCUMENTS = BASE_SIZES.usual.documents;
const ADDED = [
  { content: "<|bos|>", isSpecial: true },
  { content: TURN_BEGIN, isSpecial: false },
  { content: TURN_END, isSpecial: false },
];

let text = "";
beforeAll(() => {
  text = baseText(readLexicon(), DOCUMENTS, 1337);
});

test("the text of the small model asks nothing that the patterns ask, and has no long answer of theirs", async () => {
  const patterns = await loadPatterns(["code_idioms", "facts", "formats", "error_fixes", "lookups"]);
  const said = new Set(
    text
      .split("\n")
      .map((line) => plainWords(line.replace(TURN_END, "")).join(" "))
      .filter((line) => line !== ""),
  );
  expect(said.size).toBeGreaterThan(DOCUMENTS / 2);
  const asked = patterns.flatMap(({ asks }) => asks).filter((ask) => said.has(plainWords(ask).join(" ")));
  expect(asked).toEqual([]);
  const answers = patterns.map(({ answer }) => answer).filter((answer) => plainWords(answer).length > 2);
  expect(answers.filter((answer) => text.includes(`\n${answer}${TURN_END}`))).toEqual([]);
});

test("documents have an empty line between them and none inside, and the same seed writes the same", () => {
  expect(text.trimEnd().split("\n\n")).toHaveLength(DOCUMENTS);
  expect(baseText(readLexicon(), DOCUMENTS, 1337)).toBe(text);
  expect(baseText(readLexicon(), 10, 1338)).not.toBe(text.slice(0, 500));
});

test("the tokenizer gives every text back, also what it was not made from, and has single tokens for turns", () => {
  const tokenizer = new HfTokenizer(trainBytePairs(text.slice(0, 300_000), 600, ADDED));
  expect(tokenizer.vocabulary).toBe(600);
  for (const written of ["Ünïcode 😀\t\n  12345", text.slice(0, 2000), "const a = [...b];"]) {
    expect(tokenizer.decode(tokenizer.encode(written))).toBe(written);
  }
  expect([tokenizer.decode([]), tokenizer.decode([tokenizer.bos])]).toEqual(["", ""]);
  expect([...tokenizer.encode(`${TURN_BEGIN}user\na${TURN_END}`)].filter((id) => id < ADDED.length)).toEqual([1, 2]);
});

test("pairs are joined in order of how often they are met, as worked out by hand", () => {
  // a-b five times, then space-ab four times; x-y and space-x three times each, of which x-y comes first by its code units.
  const file = trainBytePairs("ab ab ab abc abc bc bc xy xy xy", 256 + 3, []) as { model: { merges: string[] } };
  expect(file.model.merges).toEqual(["a b", "Ġ ab", "x y"]);
});
