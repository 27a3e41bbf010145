import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameError } from "./errors.ts";
import {
  formatJsonObject,
  type JobContent,
  type JsonObject,
  jobContent,
  jobContentId,
  parseJsonObject,
} from "./job-content.ts";

const SEED = 20_261_122;
const VECTORS: readonly (JobContent & { about: string; content: string; id: string })[] = JSON.parse(
  readFileSync(new URL("../vectors/job-ids.json", import.meta.url), "utf8"),
);
const JOB: JobContent = { workload: "a", params: {}, inputs: [], salt: "" };

test("there are golden ids", () => {
  expect(VECTORS.length).toBeGreaterThan(3);
});

test.for(VECTORS)("$about: its content, and its id", (vector) => {
  expect(jobContent(vector)).toBe(vector.content);
  expect(jobContentId(vector)).toBe(vector.id);
});

test("the id is the same however keys and inputs are ordered, and changes with whatever else a job is made of", () => {
  const params = fc.dictionary(
    fc.string({ unit: "grapheme" }),
    fc.jsonValue({ maxDepth: 3 }),
  ) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(params, fc.nat(), (members, bytes) => {
      const inputs = ["x", "y"].map((name) => ({ name, sha256: "00".repeat(32), bytes }));
      const job: JobContent = { ...JOB, params: members, inputs };
      const turned = Object.fromEntries(Object.entries(members).reverse());
      const id = jobContentId(job);
      expect(jobContentId({ ...job, params: turned, inputs: inputs.toReversed() })).toBe(id);
      for (const other of [
        { ...job, workload: "b" },
        { ...job, salt: "s" },
        { ...job, inputs: inputs.slice(1) },
        { ...job, inputs: inputs.map((input) => ({ ...input, bytes: bytes + 1 })) },
        { ...job, params: { ...members, "another key": 1 } },
      ]) {
        expect(jobContentId(other)).not.toBe(id);
      }
    }),
    { seed: SEED },
  );
});

test("what is written as JSON is read as the same, in its canonical form", () => {
  const objects = fc.dictionary(
    fc.string({ unit: "grapheme" }),
    fc.jsonValue({ maxDepth: 4 }),
  ) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(objects, (object) => {
      const bytes = formatJsonObject(object);
      const read = parseJsonObject(bytes) ?? expect.fail("not read");
      expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(JSON.parse(JSON.stringify(object)));
      expect(formatJsonObject(read)).toEqual(bytes);
    }),
    { seed: SEED },
  );
});

test.for([
  ["no JSON", "{"],
  ["nothing", ""],
  ["an array", "[]"],
  ["null", "null"],
  ["a number", "17"],
  ["two objects", "{}{}"],
  ["a mark of order before it", "\ufeff{}"],
  ["a number beyond float64", '{"a":1e400}'],
  ["far too many levels", `{"a":${"[".repeat(16_000)}${"]".repeat(16_000)}}`],
  ["a level too many", `{"a":${"[".repeat(33)}${"]".repeat(33)}}`],
  ["half of a surrogate pair", '{"a":"\\ud800"}'],
  ["the other half as a key", '{"\\udc00":1}'],
])("%s is no JSON object", ([, text]) => {
  expect(parseJsonObject(new TextEncoder().encode(text))).toBeUndefined();
});

test("bytes that are no UTF-8 are no JSON object, and a key of another language's is only a key", () => {
  expect(parseJsonObject(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toBeUndefined();
  const text = '{"__proto__":{"a":1},"constructor":2}';
  const read = parseJsonObject(new TextEncoder().encode(text)) ?? expect.fail("not read");
  expect(new TextDecoder().decode(formatJsonObject(read))).toBe(text);
  const deepest = parseJsonObject(new TextEncoder().encode(`{"a":${"[".repeat(32)}${"]".repeat(32)}}`));
  expect(deepest && jobContentId({ ...JOB, params: deepest })).toMatch(/^[0-9a-f]{64}$/);
});

test.for<[string, unknown]>([
  ["undefined", { a: undefined }],
  ["a function", { a: () => 1 }],
  ["a bigint", { a: 1n }],
  ["not a number", { a: Number.NaN }],
  ["infinity", { a: [Number.POSITIVE_INFINITY] }],
  ["a hole", { a: Array(1) }],
  ["a date", { a: new Date(0) }],
  ["bytes", { a: new Uint8Array(1) }],
  ["itself", itself()],
])("params with %s have no id", ([, params]) => {
  expect(() => jobContentId({ ...JOB, params: params as JsonObject })).toThrow(FrameError);
});

function itself(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}
