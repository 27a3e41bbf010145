import { expect, test } from "vitest";
import { JSON_SCHEMA, toValuesMessage } from "./json-message.ts";
import type { SampleBatch } from "./sample-batch.ts";
import { checkValuesTopic } from "./values-topic.ts";

const BATCH: SampleBatch = {
  facts: {
    device: "pump",
    epoch: 3,
    channels: [
      { name: "x", unit: "mm", eps: 0.5 },
      { name: "y", unit: "", eps: 0 },
    ],
    signature: "",
  },
  state: "confirmed",
  timesUs: Float64Array.of(1_763_000_000_000_001, 1_763_000_000_010_001, 1_763_000_000_020_001),
  clock: "node",
  values: Float64Array.of(1, 10, 0.1 + 0.2, 20, -1e-300, 30),
  statuses: Uint8Array.of(0, 1, 2, 0, 0, 0),
  isLate: true,
  skipped: 7,
  lost: 4,
};

test("a message has every value to the last bit, with time, quality, unit and bound, channel by channel", () => {
  const text = JSON.stringify(toValuesMessage(BATCH, 5));
  expect(JSON.parse(text)).toEqual({
    schema: JSON_SCHEMA,
    device: "pump",
    epoch: 3,
    state: "confirmed",
    time: [1_763_000_000_000.001, 1_763_000_000_010.001, 1_763_000_000_020.001],
    clock: "node",
    late: true,
    skipped: 12,
    lost: 4,
    channels: [
      { name: "x", unit: "mm", eps: 0.5, value: [1, 0.1 + 0.2, -1e-300], quality: ["good", "saturated", "good"] },
      { name: "y", unit: "", eps: 0, value: [10, 20, 30], quality: ["invalid", "good", "good"] },
    ],
  });
});

test("no bound is claimed for what is only expected", () => {
  const { state, channels } = toValuesMessage({ ...BATCH, state: "extrapolated" }, 0);
  expect(state).toBe("extrapolated");
  expect(channels.map(({ eps }) => eps)).toEqual([null, null]);
});

test("values go to no topic by which devices, nodes or Sparkplug speak, and to one for each device", () => {
  for (const topic of ["{device}", "lockstep/{group}/{device}", "a b/{device}/values"]) checkValuesTopic(topic, "east");
  // What a group or a device makes of it counts.
  expect(() => checkValuesTopic("{group}/v1/{device}", "ls")).toThrowError("is no topic");
  const bad = [
    "",
    "{device}/values",
    `${"x".repeat(500)}/{device}`,
    "values",
    "ls/v1/{group}/{device}/c",
    "l/{device}",
    "spBv1.0/{device}",
    "$SYS/{device}",
    "/{device}",
  ];
  for (const topic of [...bad, "+/{device}", "{device}/#", "{device}\0", `${"x".repeat(600)}{device}`]) {
    expect(() => checkValuesTopic(topic, "east"), topic).toThrowError(expect.objectContaining({ code: "bad-topic" }));
  }
});
