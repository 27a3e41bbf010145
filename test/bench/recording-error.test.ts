import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { benchCodec } from "./codec.ts";
import { RecordingError, type RecordingErrorCode } from "./recording-error.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-bad-recordings-"));
});

afterEach(() => rm(folder, { recursive: true }));

/** A folder that cannot be used. */
interface BadFolder {
  /** By name; undefined for a folder of that name. */
  readonly files: Readonly<Record<string, string | Uint8Array | undefined>>;
  /** In place of the folder with those files. */
  readonly folder?: string;
  readonly rel?: number;
  /** The whole message, with DIR for the folder. */
  readonly message: string;
}

const DESCRIBE = 'write {"channels": ["x", "y"]} or {"channels": 2}, and "samples" only if it counts the rows';

/** One for each code: a new one does not compile without its own. */
const BY_CODE: Readonly<Record<RecordingErrorCode, BadFolder>> = {
  "no-folder": {
    files: {},
    folder: "absent",
    message:
      "recording: no folder: folder DIR/absent, because it does not exist; give --data DIR, a folder that exists",
  },
  "no-recording": {
    files: { "notes.txt": "1\n", "a.json": '{"channels": 1}' },
    message: "recording: no recording: folder DIR; put NAME.f32 with NAME.json, or NAME.csv, into the folder",
  },
  "two-recordings": {
    files: { "a.csv": "1\n", "a.f32": floats(1), "a.json": '{"channels": 1}' },
    message: "recording: two recordings: folder DIR, name a; keep either the .f32 or the .csv",
  },
  unreadable: {
    files: { "a.f32": undefined, "a.json": '{"channels": 1}' },
    message: "recording: unreadable: file DIR/a.f32, because it is a folder; make it a file that can be read",
  },
  "no-description": {
    files: { "a.f32": floats(1) },
    message:
      'recording: no description: file DIR/a.json, because it does not exist; write NAME.json beside it: {"channels": ["x", "y"]} or {"channels": 2}',
  },
  "bad-description": {
    files: { "a.f32": floats(1), "a.json": '{"channels": -1}' },
    message: `recording: bad description: file DIR/a.json, because channels is neither a list nor a number above 0; ${DESCRIBE}`,
  },
  truncated: {
    files: { "a.f32": floats(1, 2, 3).subarray(0, 10), "a.json": '{"channels": 1, "samples": 3}' },
    message:
      'recording: truncated: file DIR/a.f32, channels 1, bytes needed 12, found 10; get the whole file, or correct "channels" or "samples" in NAME.json',
  },
  "too-long": {
    files: { "a.f32": floats(1, 2, 3, 4), "a.json": '{"channels": 2, "samples": 1}' },
    message:
      'recording: too long: file DIR/a.f32, channels 2, bytes needed 8, found 16; correct "channels" or "samples" in NAME.json, or leave "samples" out',
  },
  empty: {
    files: { "a.f32": floats(), "a.json": '{"channels": 1}' },
    message: "recording: empty: file DIR/a.f32; leave it out, or record at least one row of one channel",
  },
  "too-many-channels": {
    files: { "a.csv": new Array(17).fill("1").join() },
    message: "recording: too many channels: name a, channels 17, most 16; split it into several recordings",
  },
  "bound-too-fine": {
    files: { "a.csv": "1\n2\n" },
    rel: 1e-12,
    message:
      "recording: bound too fine: name a, channel 1, rel 1e-12, because codec: channel c0 cannot keep eps 1e-12: 32 bits of its range resolve 4.656628416199737e-10; give a larger eps; give a larger --rel",
  },
  "ragged-row": {
    files: { "a.csv": "x,y\n1,2\n3\n" },
    message:
      "recording: ragged row: file DIR/a.csv, line 3, columns 1, width 2; give every row as many columns as the first, and decimals a point, for a comma may end a column",
  },
  "not-a-number": {
    files: { "a.csv": "x,y\n1,2\n3,on\n" },
    message:
      'recording: not a number: file DIR/a.csv, line 3, column 2 (y), value "on"; separate columns with commas, semicolons or tabs, give decimals a point, and leave out what is no number, such as dates',
  },
  "not-finite": {
    files: { "a.f32": floats(1, 2, 3, Number.NaN), "a.json": '{"channels": 2}' },
    message:
      "recording: not finite: file DIR/a.f32, row 2, channel 2, value NaN; leave out rows without a value, or fill them in",
  },
};

test.for(Object.entries(BY_CODE))("%s: the message says what is wrong, where, and what to do", async ([code, bad]) => {
  const refusal = await refusalOf(bad);
  expect(refusal).toBeInstanceOf(RecordingError);
  expect((refusal as RecordingError).code).toBe(code);
  expect((refusal as RecordingError).message.replaceAll(folder, "DIR")).toBe(bad.message);
});

test.for([
  [
    "a file in place of the folder",
    { files: { a: "" }, folder: "a" },
    /no folder: folder DIR\/a, because it is not a folder/,
  ],
  ["an empty folder", { files: {} }, /no recording: folder DIR;/],
  [
    "floats that end in the middle of one",
    { files: { "a.f32": new Uint8Array(7), "a.json": '{"channels": 1}' } },
    /truncated: .* bytes needed a multiple of 4, found 7;/,
  ],
  [
    "fewer rows than counted",
    { files: { "a.f32": floats(1, 2), "a.json": '{"channels": 1, "samples": 3}' } },
    /truncated: .* bytes needed 12, found 8;/,
  ],
  [
    "an infinite value",
    { files: { "a.f32": floats(Number.NEGATIVE_INFINITY), "a.json": '{"channels": 1}' } },
    /not finite: .* row 1, channel 1, value -Infinity;/,
  ],
  [
    "JSON that ends too early",
    { files: { "a.f32": floats(1), "a.json": '{"channels": 2,' } },
    /bad description: file DIR\/a\.json, because .*JSON.*position 15/,
  ],
  [
    "no JSON at all",
    { files: { "a.f32": floats(1), "a.json": "" } },
    /bad description: file DIR\/a\.json, because Unexpected end of JSON/,
  ],
  [
    "JSON that is nothing",
    { files: { "a.f32": floats(1), "a.json": "null" } },
    /bad description: .*channels is neither/,
  ],
  [
    "rows that are no number",
    { files: { "a.f32": floats(1), "a.json": '{"channels": 1, "samples": "many"}' } },
    /bad description: .*samples is not a number of rows/,
  ],
  [
    "a quote that does not end",
    { files: { "a.csv": '1\n"2\n' } },
    /unreadable: file DIR\/a\.csv, because Quote Not Closed.* line 2/,
  ],
  [
    "a column of time alone",
    { files: { "a.csv": "time\n1\n" } },
    /empty: file DIR\/a\.csv, because its only column is time;/,
  ],
  [
    "columns that end with a bar",
    { files: { "a.csv": "x|y\n1|2\n" } },
    /not a number: .*line 2, column 1 \(x\|y\), value "1\|2"; separate columns with commas, semicolons or tabs/,
  ],
  [
    "decimals with a comma",
    { files: { "a.csv": "x\n1\n1,5\n" } },
    /ragged row: .*line 3, columns 2, width 1; .*decimals a point/,
  ],
  [
    "a value beyond float32",
    { files: { "a.csv": "1\n1e40\n" } },
    /not finite: file DIR\/a\.csv, line 2, column 1, value "1e40";/,
  ],
] as const)("%s is refused in words", async ([, bad, message]) => {
  const refusal = await refusalOf(bad);
  expect(refusal).toBeInstanceOf(RecordingError);
  expect((refusal as RecordingError).message.replaceAll(folder, "DIR")).toMatch(message);
});

async function refusalOf({ files, folder: within, rel = 0.1 }: Omit<BadFolder, "message">): Promise<unknown> {
  for (const [name, content] of Object.entries(files)) {
    await (content === undefined ? mkdir(join(folder, name)) : writeFile(join(folder, name), content));
  }
  const dataFolder = within === undefined ? folder : join(folder, within);
  return benchCodec({ dataFolder, rels: [rel], frameSamples: 10 }, () => undefined).catch((error: unknown) => error);
}

function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
