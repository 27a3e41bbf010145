import { expect, test } from "vitest";
import { Outbox } from "./outbox.ts";
import { type SampleBatch, splitBatch } from "./sample-batch.ts";

/** Rows of two channels: times 0, 1, 2 … from `from` on, each value its time. */
function batchOf(rows: number, from = 0): SampleBatch {
  const facts = {
    device: "pump",
    epoch: 1,
    channels: ["x", "y"].map((name) => ({ name, unit: "", eps: 1 })),
    signature: "",
  };
  const timesUs = Float64Array.from({ length: rows }, (_, row) => from + row);
  const values = Float64Array.from({ length: 2 * rows }, (_, at) => from + Math.floor(at / 2));
  const about = { state: "confirmed", clock: "device", isLate: false, skipped: 3, lost: 2 } as const;
  return { ...about, facts, timesUs, values, statuses: new Uint8Array(2 * rows) };
}

test("what waits never is more than the limit, the oldest makes room, and the rest comes in order", () => {
  const outbox = new Outbox(100);
  const dropped: number[] = [];
  for (let n = 0; n < 5_000; n += 1) {
    dropped.push(...outbox.push(batchOf(10, 10 * n)).map(({ timesUs }) => timesUs[0] ?? Number.NaN));
    expect(outbox.values).toBeLessThanOrEqual(100);
  }
  expect(dropped).toEqual(Array.from({ length: 4_995 }, (_, n) => 10 * n));
  const left: number[] = [];
  for (let batch = outbox.shift(); batch !== undefined; batch = outbox.shift())
    left.push(batch.timesUs[0] ?? Number.NaN);
  expect(left).toEqual([49_950, 49_960, 49_970, 49_980, 49_990]);
  expect(outbox.values).toBe(0);
});

test("a batch larger than the whole queue is dropped itself, and the queue goes on", () => {
  const outbox = new Outbox(100);
  expect(outbox.push(batchOf(51))).toHaveLength(1);
  expect(outbox.push(batchOf(50))).toHaveLength(0);
  expect(outbox.shift()?.timesUs).toHaveLength(50);
});

test("the parts of a batch are the batch, and what was left out before it is said once", () => {
  const parts = splitBatch(batchOf(25), 14);
  expect(parts.map(({ timesUs }) => timesUs.length)).toEqual([7, 7, 7, 4]);
  expect(parts.flatMap(({ timesUs }) => [...timesUs])).toEqual([...batchOf(25).timesUs]);
  expect(parts.flatMap(({ values }) => [...values])).toEqual([...batchOf(25).values]);
  expect(parts.map(({ skipped, lost }) => [skipped, lost])).toEqual([
    [3, 2],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  expect(splitBatch(batchOf(3), 1).map(({ values }) => values.length)).toEqual([2, 2, 2]);
});
