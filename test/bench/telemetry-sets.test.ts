import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RecordingError, type RecordingErrorCode } from "./recording-error.ts";
import { listSets } from "./telemetry-sets.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-recordings-"));
});

afterEach(() => rm(folder, { recursive: true }));

test("a recording is floats beside a description, with channels by name or by number", async () => {
  await write("a.f32", floats(1, 2, 3, 4, -5, 6));
  await write("a.json", '{"channels": ["x", "y"], "samples": 3}');
  await write("b.f32", floats(1, 2, 3));
  await write("b.json", '\uFEFF{"channels": 3}');
  const [a, b] = await listSets(folder);
  expect(a).toMatchObject({
    name: "a",
    rows: 3,
    channels: 2,
    ranges: [
      { min: -5, max: 3 },
      { min: 2, max: 6 },
    ],
  });
  expect(a?.values).toEqual(Float32Array.of(1, 2, 3, 4, -5, 6));
  expect(b).toMatchObject({ name: "b", rows: 1, channels: 3 });
});

test("a recording may be CSV, with or without a header, and its time column is no channel", async () => {
  await write("bare.csv", "1,2.5\n3,-4e1\n");
  await write("named.csv", 'time,"x, raw"\n0.0,1\n0.1,2\n\n');
  const [bare, named] = await listSets(folder);
  expect(bare).toMatchObject({ channels: 2, values: Float32Array.of(1, 2.5, 3, -40) });
  expect(named).toMatchObject({ channels: 1, values: Float32Array.of(1, 2) });
});

test("CSV columns may be separated by semicolons or tabs, as lockstep encode takes them", async () => {
  await write("a.csv", "\uFEFFtime;x;y\r\n0;1.5;2\r\n1;3;-4e1\r\n");
  await write("b.csv", "1.5\t2\n3\t-4e1\n");
  for (const set of await listSets(folder)) {
    expect(set).toMatchObject({ channels: 2, values: Float32Array.of(1.5, 2, 3, -40) });
  }
  expect(await listSets(folder)).toHaveLength(2);
});

test("CSV values are what a float32 recording would hold", async () => {
  await write("a.csv", "0.1\n");
  expect((await listSets(folder))[0]?.values).toEqual(Float32Array.of(0.1));
});

const REFUSED: readonly (readonly [
  string,
  Readonly<Record<string, string | Uint8Array>>,
  RecordingErrorCode,
  RegExp,
])[] = [
  ["an empty folder", {}, "no-recording", /put NAME\.f32/],
  ["floats without a description", { "a.f32": floats(1) }, "no-description", /a\.json.*"channels": 2/],
  ["a description that is no JSON", { "a.f32": floats(1), "a.json": "{" }, "bad-description", /a\.json/],
  ["a description without channels", { "a.f32": floats(1), "a.json": "{}" }, "bad-description", /channels is neither/],
  ["no channels", { "a.f32": floats(1), "a.json": '{"channels": 0}' }, "bad-description", /channels is neither/],
  [
    "a file cut in a row",
    { "a.f32": floats(1, 2, 3), "a.json": '{"channels": 2}' },
    "truncated",
    /multiple of 8, found 12/,
  ],
  [
    "fewer rows than described",
    { "a.f32": floats(1, 2), "a.json": '{"channels": 1, "samples": 3}' },
    "truncated",
    /needed 12, found 8; get the whole file/,
  ],
  ["no rows", { "a.f32": floats(), "a.json": '{"channels": 1}' }, "empty", /a\.f32/],
  [
    "a value that is none",
    { "a.f32": floats(1, Number.NaN), "a.json": '{"channels": 2}' },
    "not-finite",
    /row 1, channel 2/,
  ],
  ["a header alone", { "a.csv": "x,y\n" }, "empty", /a\.csv/],
  ["nothing at all", { "a.csv": "" }, "empty", /a\.csv/],
  ["a short row", { "a.csv": "x,y\n1,2\n3\n" }, "ragged-row", /line 3, columns 1, width 2/],
  [
    "a word among numbers",
    { "a.csv": "x,y\n1,2\n3,on\n" },
    "not-a-number",
    /line 3, column 2 \(y\), value "on"; separate .*leave out what/,
  ],
  ["a decimal comma", { "a.csv": "x;y\n1,5;2\n" }, "not-a-number", /column 1 \(x\), value "1,5"; .* decimals a point/],
  ["an unknown separator", { "a.csv": "1|2\n3|4\n" }, "not-a-number", /value "3\|4"; separate columns with commas/],
  ["nothing between tabs", { "a.csv": "1\t2\n\t4\n" }, "not-finite", /line 2, column 1, value ""/],
  ["a missing value", { "a.csv": "1,2\n3,\n" }, "not-finite", /line 2, column 2, value ""/],
  ["a value beyond float32", { "a.csv": "1\n1e40\n" }, "not-finite", /line 2, column 1/],
  ["a quote that does not end", { "a.csv": '1\n"2\n' }, "unreadable", /a\.csv/],
  [
    "the same recording twice",
    { "a.csv": "1\n", "a.f32": floats(1), "a.json": '{"channels": 1}' },
    "two-recordings",
    /name a/,
  ],
];

test.for(REFUSED)("%s is refused, with the place and what to do", async ([, files, code, message]) => {
  for (const [name, content] of Object.entries(files)) await write(name, content);
  const refusal = await listSets(folder).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RecordingError);
  expect((refusal as RecordingError).code).toBe(code);
  expect((refusal as RecordingError).message).toMatch(message);
});

test("a folder that is not given, or not there, is refused", async () => {
  await expect(listSets(undefined)).rejects.toMatchObject({ code: "no-folder" });
  await expect(listSets(join(folder, "none"))).rejects.toMatchObject({ code: "no-folder" });
});

function write(name: string, content: string | Uint8Array): Promise<void> {
  return writeFile(join(folder, name), content);
}

function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
