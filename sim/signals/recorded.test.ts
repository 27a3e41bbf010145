import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imuRecordingPath, recordedSignal } from "./recorded.ts";
import { SignalError, type SignalErrorCode } from "./signal.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-recorded-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A recording of two channels; fields of the description may be replaced. */
function writeFloats(name: string, values: readonly number[], changes: Record<string, unknown> = {}): string {
  const description = { samples: values.length / 2, channels: ["a", "b"], units: ["V", "A"], rate_hz: 50, ...changes };
  write(`${name}.json`, JSON.stringify(description));
  return write(`${name}.f32`, new Uint8Array(Float32Array.from(values).buffer));
}

function rows(path: string, options = {}): number[][] {
  const signal = recordedSignal(path, options);
  const out = new Float64Array(signal.channels.length);
  const table: number[][] = [];
  const reader = signal.read();
  while (table.length < 10 && reader.next(out)) table.push([...out]);
  return table;
}

function refusal(run: () => unknown): SignalErrorCode | "accepted" {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof SignalError) return error.code;
    throw error;
  }
}

test("float32 with its description gives rows, names, units, ranges and rate", () => {
  const path = writeFloats("good", [1, -2, 0.5, 4]);
  const signal = recordedSignal(path);
  expect(signal.channels).toEqual([
    { name: "a", unit: "V", min: 0.5, max: 1 },
    { name: "b", unit: "A", min: -2, max: 4 },
  ]);
  expect([signal.periodNs, signal.samples]).toEqual([20_000_000, 2]);
  expect(rows(path)).toEqual([
    [1, -2],
    [0.5, 4],
  ]);
});

test("a looping recording goes on from its first row", () => {
  const path = writeFloats("loop", [1, 2, 3, 4]);
  expect(
    rows(path, { isLooping: true })
      .slice(0, 5)
      .map(([a]) => a),
  ).toEqual([1, 3, 1, 3, 1]);
  expect(recordedSignal(path, { isLooping: true }).samples).toBe(Number.POSITIVE_INFINITY);
});

test("CSV takes names from its header, the rate from a time column, and missing values as such", () => {
  const path = write("good.csv", "time,a,b\n0,1,2\n0.5,,4\n1.0,5,nan\n");
  expect(recordedSignal(path).periodNs).toBe(500_000_000);
  expect(rows(path)).toEqual([
    [1, 2],
    [Number.NaN, 4],
    [5, Number.NaN],
  ]);
});

test("CSV without a time column needs the rate", () => {
  const path = write("no-time.csv", "a,b\r\n1,2\r\n3,4\r\n");
  expect(refusal(() => recordedSignal(path))).toBe("bad-description");
  expect(recordedSignal(path, { rateHz: 10 }).periodNs).toBe(100_000_000);
});

test("the recording that comes with the package is whole, and has the ranges that its description states", () => {
  const signal = recordedSignal(imuRecordingPath());
  expect([signal.samples, signal.channels.length, signal.periodNs]).toEqual([13_514, 6, 10_000_000]);
  const { range } = JSON.parse(readFileSync(imuRecordingPath().replace(".f32", ".json"), "utf8"));
  for (const [c, { min, max }] of signal.channels.entries()) expect(Math.fround(max - min)).toBe(range[c]);
});

test.for<[SignalErrorCode, string, () => string]>([
  ["cannot-read", "an absent file", () => join(folder, "absent.f32")],
  ["cannot-read", "an absent CSV", () => join(folder, "absent.csv")],
  ["wrong-size", "a truncated file", () => writeFloats("short", [1, 2, 3, 4], { samples: 3 })],
  ["wrong-size", "a file with bytes to spare", () => writeFloats("long", [1, 2, 3, 4], { samples: 1 })],
  [
    "bad-description",
    "a description that is not JSON",
    () => {
      const path = writeFloats("json", [1, 2]);
      write("json.json", "{");
      return path;
    },
  ],
  ["bad-description", "a description without channels", () => writeFloats("none", [1, 2], { channels: [] })],
  [
    "bad-description",
    "a description with 17 channels",
    () => writeFloats("many", [1, 2], { channels: Array(17).fill("x") }),
  ],
  ["bad-description", "a rate of 0", () => writeFloats("rate", [1, 2], { rate_hz: 0 })],
  ["bad-description", "units for another number of channels", () => writeFloats("units", [1, 2], { units: ["V"] })],
  ["empty", "a channel without a single number", () => writeFloats("nan", [1, Number.NaN, 2, Number.NaN])],
  ["empty", "an empty CSV", () => write("empty.csv", "")],
  ["empty", "a CSV with nothing but its header", () => write("header.csv", "a,b\n")],
  ["bad-row", "a word among the numbers", () => write("word.csv", "time,a\n0,1\n1,two\n")],
  ["bad-row", "a row that is too short", () => write("ragged.csv", "time,a,b\n0,1,2\n1,3\n")],
  ["bad-row", "an unclosed quotation", () => write("quote.csv", 'time,a\n0,"1\n')],
])("%s: %s is refused", ([code, , create]) => {
  const path = create();
  expect(refusal(() => recordedSignal(path))).toBe(code);
});

test("a bad number is named with its line and column", () => {
  const path = write("named.csv", "time,a\n0,1\n1,two\n");
  expect(() => recordedSignal(path)).toThrow(/line 3, column a, value two/);
});
