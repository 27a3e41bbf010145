import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pattern } from "./example.ts";
import { LoraError } from "./lora-error.ts";
import { nearDuplicates } from "./near-duplicate.ts";
import { readPatterns } from "./read-patterns.ts";
import { loadPatterns } from "./shipped-patterns.ts";

const HEAD = "category: own\npatterns:\n";
const GOOD = "  - asks: [How old is it?, Say its age., Which age has it?]\n    answer: Ten.\n";

let folder = "";
let shipped: readonly Pattern[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-patterns-"));
  shipped = await loadPatterns(["code_idioms", "facts", "formats", "error_fixes", "lookups"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function codeAndMessage(work: () => unknown): [string, string] {
  try {
    work();
  } catch (error) {
    if (error instanceof LoraError) return [error.code, error.message];
    throw error;
  }
  return ["", ""];
}

test("the shipped patterns are as many as promised, and none says what another one says", () => {
  const counts = Object.fromEntries(
    [...Map.groupBy(shipped, ({ category }) => category)].map(([category, group]) => [category, group.length]),
  );
  expect(counts.code_idioms).toBeGreaterThanOrEqual(33);
  expect(counts.facts).toBeGreaterThanOrEqual(35);
  expect(counts.formats).toBeGreaterThanOrEqual(25);
  expect(counts.error_fixes).toBeGreaterThanOrEqual(30);
  expect(counts.lookups).toBeGreaterThan(200);
  expect(new Set(shipped.map(({ id }) => id)).size).toBe(shipped.length);
});

test.for([
  ["too few wordings", `${HEAD}  - asks: [a b, c d]\n    answer: e\n`, /^own\.yaml:3: patterns\[0\]\.asks: 3 wordings/],
  ["no answer", `${HEAD}${GOOD}  - asks: [a b, c d, e f]\n`, /^own\.yaml:5: patterns\[1\]\.answer: it is missing/],
  ["an unknown entry", `${HEAD}${GOOD}    answre: e\n`, /^own\.yaml:5: patterns\[0\]\.answre: there is no such entry/],
  ["a number as an answer", `${HEAD}  - asks: [a b, c d, e f]\n    answer: 7\n`, /^own\.yaml:4: .*in quotes/],
  ["no patterns", "category: own\n", /^own\.yaml:1: there are neither/],
  [
    "a table without its key",
    "category: own\ntables:\n  - name: t\n    asks: [a b, c d, e f]\n    answers: { k: v }\n",
    /own\.yaml:4: .*\{key\}/,
  ],
  ["no YAML", `${HEAD} - [`, /^own\.yaml:\d+: no YAML/],
  ["a list", "- a\n", /^own\.yaml:1: /],
  ["nothing", "", /^own\.yaml:1: /],
  [
    "one that means another",
    `${HEAD}  - asks: &a [a b, c d, e f]\n    answer: e\n  - asks: *a\n    answer: f\n`,
    /^own\.yaml:\d+: /,
  ],
] as const)("a file with %s is refused with its line", ([, text, message]) => {
  const [code, found] = codeAndMessage(() => readPatterns([{ name: "own.yaml", text }]));
  expect(code).toBe("bad-pattern");
  expect(found).toMatch(message);
});

test("a wording that another pattern has in other words of no weight is refused with both lines", () => {
  const other = "  - asks: [Please say: how old is IT, b c, d e]\n    answer: Six.\n".replace(
    "Please say: how",
    "please, how",
  );
  const [code, message] = codeAndMessage(() => readPatterns([{ name: "own.yaml", text: `${HEAD}${GOOD}${other}` }]));
  expect(code).toBe("near-duplicate");
  expect(message).toContain("own.yaml:5");
  expect(message).toContain("own.yaml:3");
});

test("texts are nearly the same where one word in ten differs, and not where one in five does", () => {
  const ten = "one two three four five six seven eight nine ten";
  const of = (...texts: string[]) => nearDuplicates(texts.map((text, place) => ({ text, place }))).length;
  expect(of(`${ten} eleven`, `${ten}`)).toBe(1);
  expect(of("What is the capital of Norway?", "What is the capital of Kenya?")).toBe(0);
  expect(of("What is the capital of Norway?", "of norway: WHAT is a capital")).toBe(1);
});

test("patterns come from files, folders and shipped ones together, each once", async () => {
  mkdirSync(join(folder, "mine"));
  writeFileSync(join(folder, "mine", "own.yaml"), HEAD + GOOD);
  writeFileSync(join(folder, "mine", "notes.txt"), "not a pattern");
  const found = await loadPatterns([join(folder, "mine"), join(folder, "mine", "own.yaml"), "facts"]);
  expect(found.filter(({ category }) => category === "own")).toHaveLength(1);
  expect(found.length).toBe(1 + shipped.filter(({ category }) => category === "facts").length);
  await expect(loadPatterns([join(folder, "absent.yaml")])).rejects.toMatchObject({ code: "bad-pattern" });
  writeFileSync(join(folder, "latin.yaml"), Buffer.from([0xff, 0xfe, 0x41]));
  await expect(loadPatterns([join(folder, "latin.yaml")])).rejects.toThrow(/UTF-8/);
  mkdirSync(join(folder, "empty"));
  await expect(loadPatterns([join(folder, "empty")])).rejects.toMatchObject({ code: "too-few-patterns" });
});
