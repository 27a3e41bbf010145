import { expect, test } from "vitest";
import { jsonSlices } from "./json-slices.ts";
import { inTurns } from "./long-answer.ts";

const numbers = Array.from({ length: 50_000 }, (_, n) => (n % 7 === 0 ? null : n / 3));
const VALUES = [
  {},
  { a: [], b: {}, c: null, d: undefined, e: true, f: '“\n"', g: [[1], [], [{ h: 2 }, null]] },
  { id: "x", runs: [{ kind: "lost" }, { kind: "saturated" }], channels: [{ values: numbers }, { values: numbers }] },
  [null, { a: 1 }],
  { mixed: [1, "two", null, false] },
];

test("an answer in pieces is the same JSON, and no piece of it is long", () => {
  for (const value of VALUES) {
    const pieces = [...jsonSlices(value)];
    expect(pieces.join("")).toBe(JSON.stringify(value));
    // One slice of numbers at most beyond what is collected.
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(32_768 + 4_096 * 20);
  }
  expect([...jsonSlices(VALUES[2] ?? {})].length).toBeGreaterThan(20);
});

test("between two pieces of a long answer everybody else gets a turn", async () => {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const seen: number[] = [];
  for await (const _ of inTurns("", jsonSlices(VALUES[2] ?? {}))) seen.push(turns);
  isOver = true;
  expect(seen.length).toBeGreaterThan(20);
  seen.forEach((turn, piece) => {
    if (piece > 0) expect(turn).toBeGreaterThan(seen[piece - 1] ?? 0);
  });
});
