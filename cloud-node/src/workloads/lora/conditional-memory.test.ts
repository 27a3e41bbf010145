import { beforeAll, expect, test } from "vitest";
import { ByteTokenizer } from "../language-model/byte-tokenizer.ts";
import { ConditionalMemory } from "./conditional-memory.ts";
import type { Pattern } from "./example.ts";
import { HashedMemory } from "./hashed-memory.ts";
import { loadPatterns } from "./shipped-patterns.ts";

const TOKENIZER = new ByteTokenizer();
const END = TOKENIZER.bos;
/** Keys of the tables in sentences that ask for nothing in them. */
const FREE_TEXT = [
  "Tell a story about gold and silver.",
  "I saw 404 birds at the lake today.",
  "How do I install Redis on a laptop?",
  "Write a poem about mercury.",
  "Is HTML a programming language?",
  "The element of surprise is what a good story needs.",
  "My LAN party starts at 22 o'clock.",
  "Explain why iron rusts.",
  "Count to 500 in Python.",
  "We sailed into the port of Lisbon on a ship of tin.",
  "Which SQL database is the best for a small shop?",
  "Write a letter to HTTP fans.",
];

let patterns: readonly Pattern[] = [];
let memory: ConditionalMemory;
beforeAll(async () => {
  patterns = await loadPatterns(["code_idioms", "facts", "formats", "error_fixes", "lookups"]);
  memory = new ConditionalMemory(patterns, TOKENIZER, END);
});

test("every row is found by a wording that the router has not learned", () => {
  const rows = patterns.filter(({ lookup }) => lookup !== undefined);
  expect(rows.length).toBe(memory.entries);
  const wrong = rows.filter(({ asks, answer }) => memory.recall(asks.at(-1) ?? "")?.answer !== answer);
  expect(wrong.map(({ asks }) => asks.at(-1))).toEqual([]);
});

test("free text passes it by, also where it has a key", () => {
  const asked = patterns.filter(({ lookup }) => lookup === undefined).flatMap(({ asks }) => asks);
  expect(asked.length).toBeGreaterThan(300);
  expect([...asked, ...FREE_TEXT].filter((text) => memory.adjustFor(text) !== undefined)).toEqual([]);
  expect(memory.recall("")).toBeUndefined();
});

test("a key that no table has is left to the model", () => {
  expect(memory.recall("What is the chemical symbol of unobtainium?")).toBeUndefined();
  expect(memory.recall("What does HTTP status code 799 mean?")).toBeUndefined();
});

const ROOMS = {
  ...{ category: "own", answer: "B 12" },
  asks: [
    "Where is the old printer of the second floor?",
    "Find the old printer of the second floor.",
    "Say where it is",
  ],
  lookup: { table: "rooms", key: "old printer of the second floor" },
};

test("a key of many words is found", () => {
  const own = new ConditionalMemory([{ ...ROOMS, id: "own/1" }, ...patterns], TOKENIZER, END);
  expect(own.recall("Where is the old printer of the second floor, please?")?.answer).toBe("B 12");
});

test("two tables of one name with the same key are refused", () => {
  const other = { ...ROOMS, id: "own/2", asks: ["a", "b", "c"] };
  expect(() => new ConditionalMemory([{ ...ROOMS, id: "own/1" }, other], TOKENIZER, END)).toThrow(
    expect.objectContaining({ code: "near-duplicate" }),
  );
});

test("at the logits the answer's next token is raised, and its end where the model has left it", () => {
  const adjust = memory.adjustFor("What is the chemical symbol of sodium?");
  const [n = 0, a = 0] = TOKENIZER.encode("Na");
  const raised = (produced: number[]): number => {
    const logits = new Float32Array(TOKENIZER.vocabulary);
    adjust?.(logits, produced);
    return logits.findIndex((logit) => logit > 10);
  };
  expect([raised([]), raised([n]), raised([n, a]), raised([a])]).toEqual([n, a, END, END]);
});

test("its arrays are small enough for a device", () => {
  expect(memory.bytes).toBeLessThan(100_000);
});

test("keys that meet in slots are still found, each as what it is", () => {
  const keys = Array.from({ length: 2000 }, (_, at) => `table/key ${at}`);
  const hashed = HashedMemory.of(keys, 4);
  expect(keys.filter((key, entry) => hashed.find(key)?.entry !== entry)).toEqual([]);
  const strangers = Array.from({ length: 20_000 }, (_, at) => `other/key ${at}`);
  expect(strangers.filter((key) => hashed.find(key) !== undefined)).toEqual([]);
  expect(() => HashedMemory.of(["a", "a"], 4)).toThrow(/each key once/);
  expect(HashedMemory.of([], 2).find("a")).toBeUndefined();
});
