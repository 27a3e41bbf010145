import { expect, test } from "vitest";
import type { RowBlock } from "../history/row-blocks.ts";
import type { Run } from "../history/run.ts";
import { csvOf, ndjsonOf, type RowsHead } from "./history-text.ts";

const HEAD: RowsHead = { id: "unit", range: { fromUs: 0, toUs: 100 }, channels: [], runs: [] };
const BLOCK: RowBlock = {
  epoch: 1,
  timesUs: Float64Array.of(1, 2),
  values: new Float64Array(0),
  statuses: new Uint8Array(0),
  channels: 0,
};

async function* blocks(damage: readonly Run[]): AsyncGenerator<RowBlock, readonly Run[]> {
  yield BLOCK;
  return damage;
}

async function lastLine(damage: readonly Run[]): Promise<string | undefined> {
  let text = "";
  for await (const part of ndjsonOf(HEAD, blocks(damage))) text += part;
  return text.trimEnd().split("\n").at(-1);
}

test("NDJSON ends with the number of rows, and with what of them could not be read", async () => {
  expect(await lastLine([])).toBe('{"rows":2}');
  const run = { kind: "damaged", channel: null, fromUs: 3, toUs: 9 } as const;
  expect(await lastLine([run])).toBe('{"rows":2,"damaged":[{"fromUs":3,"toUs":9}]}');
});

test("CSV names what could not be read in rows of their own, with as many cells as all others", async () => {
  const channel = (name: string, column: number) => ({
    index: column,
    name,
    unit: "",
    eps: 0.1,
    columnIn: () => column,
  });
  const head = { ...HEAD, channels: [channel("x", 0), channel("damaged_to_us", 1)] };
  const block = { ...BLOCK, values: Float64Array.of(5, 6, 7, 8), statuses: Uint8Array.of(0, 0, 1, 2), channels: 2 };
  async function* rows(): AsyncGenerator<RowBlock, readonly Run[]> {
    yield block;
    return [
      { kind: "damaged", channel: null, fromUs: 3, toUs: 9.5 },
      { kind: "damaged", channel: null, fromUs: 20.5, toUs: 30 },
    ];
  }
  let text = "";
  for await (const part of csvOf(head, rows())) text += part;
  expect(text.split("\n")).toEqual([
    "time_us,epoch,x,damaged_to_us_,saturated,damaged_to_us",
    "1,1,5,6,,",
    "2,1,,8,damaged_to_us,",
    "3,,,,,10",
    "20,,,,,30",
    "",
  ]);
  expect(
    new Set(
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split(",").length),
    ),
  ).toEqual(new Set([6]));
});

test("a reader that stops early stops what is read from", async () => {
  let isStopped = false;
  async function* watched(): AsyncGenerator<RowBlock, readonly Run[]> {
    try {
      for (;;) yield { ...BLOCK, timesUs: new Float64Array(50_000) };
    } finally {
      isStopped = true;
    }
  }
  const text = ndjsonOf(HEAD, watched());
  await text.next();
  await text.next();
  await text.return(undefined);
  expect(isStopped).toBe(true);
});
