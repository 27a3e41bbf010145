import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatLine, parseChat, readDataset, writeDataset } from "./dataset-files.ts";
import { type Dataset, makeDataset } from "./make-dataset.ts";
import { plainWords } from "./near-duplicate.ts";
import { loadPatterns } from "./shipped-patterns.ts";

const OPTIONS = { seed: 7, variants: 1 };

let folder = "";
let dataset: Dataset;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-dataset-"));
  dataset = makeDataset(await loadPatterns([]), OPTIONS);
});
afterAll(() => rmSync(folder, { recursive: true }));

const said = (prompt: string) => plainWords(prompt).join(" ");

test("no wording of the test is trained on, whatever its case and marks", () => {
  const known = new Set([...dataset.train, ...dataset.validation].map(({ prompt }) => said(prompt)));
  expect(dataset.test.filter(({ prompt }) => known.has(said(prompt)))).toEqual([]);
  expect(dataset.test.length).toBeGreaterThan(200);
});

test("every pattern is trained on and asked, and a fifth of each category judges training", () => {
  expect(dataset.train.length).toBeGreaterThanOrEqual(350);
  const ids = (part: keyof Dataset) => new Set(dataset[part].map(({ pattern }) => pattern));
  expect(ids("train")).toEqual(ids("test"));
  for (const [category, train] of Map.groupBy(dataset.train, (example) => example.category)) {
    const count = dataset.validation.filter((example) => example.category === category).length;
    expect(count / (count + train.length)).toBeCloseTo(0.2, 1);
  }
});

test("the same seed makes the same examples, and another one others", async () => {
  const patterns = await loadPatterns([]);
  expect(makeDataset(patterns, OPTIONS)).toEqual(dataset);
  expect(makeDataset(patterns, { ...OPTIONS, seed: 8 })).not.toEqual(dataset);
});

test("a pattern whose last wording is trained on is refused", () => {
  const pattern = { id: "own/1", category: "own", asks: ["How old?", "Its age?", "HOW, old"], answer: "Ten." };
  expect(() => makeDataset([pattern], OPTIONS)).toThrow(expect.objectContaining({ code: "leaked-prompt" }));
});

test("a data set is read as it was written, a chat a line", async () => {
  const digests = await writeDataset(folder, dataset);
  expect(Object.keys(digests)).toEqual(["train.jsonl", "valid.jsonl", "test.jsonl"]);
  expect(await readDataset(folder)).toEqual(dataset);
  const [line = ""] = readFileSync(join(folder, "train.jsonl"), "utf8").split("\n");
  expect(JSON.parse(line).messages.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant"]);
});

test("a test that asks what training has is refused when it is read", async () => {
  const leaky = mkdtempSync(join(folder, "leaky-"));
  await writeDataset(leaky, dataset);
  writeFileSync(join(leaky, "test.jsonl"), dataset.train.map(chatLine).join(""));
  await expect(readDataset(leaky)).rejects.toMatchObject({ code: "leaked-prompt" });
  rmSync(join(leaky, "valid.jsonl"));
  await expect(readDataset(leaky)).rejects.toMatchObject({ code: "bad-dataset" });
});

const TURNS = [
  { role: "user", content: "a" },
  { role: "assistant", content: "b" },
];
test.for([
  ["no JSON", "{", /^chat:2: no JSON/],
  ["no messages", "{}", /^chat:2: messages/],
  ["an empty answer", JSON.stringify({ messages: [TURNS[0], { role: "assistant", content: "" }] }), /^chat:2: /],
  ["roles the wrong way", JSON.stringify({ messages: TURNS.toReversed() }), /^chat:2: /],
  [
    "a category that steers a terminal",
    JSON.stringify({ messages: TURNS, category: "\u001b[2J" }),
    /^chat:2: category: /,
  ],
  ["a longer chat", JSON.stringify({ messages: [...TURNS, ...TURNS] }), /^chat:2: /],
] as const)("a line with %s is refused by its number", ([, line, message]) => {
  const good = JSON.stringify({ messages: [{ role: "system", content: "s" }, ...TURNS] });
  expect(parseChat("chat", `${good}\n`)).toEqual([{ prompt: "a", answer: "b", category: "other", pattern: "" }]);
  expect(() => parseChat("chat", `${good}\n${line}\n`)).toThrow(message);
  expect(() => parseChat("chat", "\n")).toThrow(/no examples/);
});
