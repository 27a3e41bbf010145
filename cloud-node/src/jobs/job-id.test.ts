import { expect, test } from "vitest";
import { type JsonObject, MAX_INPUTS } from "./job.ts";
import { jobContent, jobId, specOf } from "./job-id.ts";
import { SHA, spec } from "./queue-rig.suite.ts";

test("the id is the hash of the content as it is written canonically, for ever", () => {
  const one = spec({
    workload: "telemetry",
    params: { z: -0, eps: 1e21, a: JSON.parse('{ "é": [0.1, "\u2028\\n"], "B": true }') },
    inputs: [
      { name: "b.csv", sha256: SHA, bytes: 2 ** 53 - 1 },
      { name: "a.csv", sha256: SHA, bytes: 0 },
    ],
    salt: "s_1-",
  });
  const { id, canonical } = jobContent(one);
  expect(canonical).toBe(
    `{"inputs":[["a.csv","${SHA}",0],["b.csv","${SHA}",9007199254740991]],` +
      `"params":{"a":{"B":true,"é":[0.1,"\u2028\\n"]},"eps":1e+21,"z":0},"salt":"s_1-","workload":"telemetry"}`,
  );
  expect(id).toBe("66f5d8d8d9cb6e2591224d4b5e93d4f36c70c1ee8eecba58a4943c490fc714a7");
  expect(jobId(specOf(canonical))).toBe(id);
});

test.for([
  ["a workload of no such name", { workload: "" }, "bad-job"],
  ["a workload of capitals", { workload: "Toy" }, "bad-job"],
  ["a workload that is no text", { workload: 7 }, "bad-job"],
  ["a long salt", { salt: "x".repeat(65) }, "bad-job"],
  ["no params", { params: null }, "bad-params"],
  ["params that are a list", { params: [] }, "bad-params"],
  ["a value that JSON has not", { params: { f: () => 1 } }, "bad-params"],
  ["a value that is not there", { params: { f: undefined } }, "bad-params"],
  ["a list with a hole", { params: { f: new Array(2) } }, "bad-params"],
  ["an object of a class", { params: { f: new Date(0) } }, "bad-params"],
  ["a big integer", { params: { f: 1n } }, "bad-params"],
  ["inputs that are no list", { inputs: "x" }, "bad-job"],
  ["an input that is none", { inputs: [null] }, "bad-job"],
  ["a hole among the inputs", { inputs: new Array(1) }, "bad-job"],
  ["an input without a name", { inputs: [{ name: "", sha256: SHA, bytes: 1 }] }, "bad-job"],
  ["an input named as the folder above", { inputs: [{ name: "..", sha256: SHA, bytes: 1 }] }, "bad-job"],
  ["a name with a line's end", { inputs: [{ name: "a\nb", sha256: SHA, bytes: 1 }] }, "bad-job"],
  [
    "a name with a control character that frames refuse",
    { inputs: [{ name: "a\u0085b", sha256: SHA, bytes: 1 }] },
    "bad-job",
  ],
  ["a name of 256 bytes", { inputs: [{ name: "é".repeat(128), sha256: SHA, bytes: 1 }] }, "bad-job"],
  ["a name of half a pair", { inputs: [{ name: "\ud800", sha256: SHA, bytes: 1 }] }, "bad-job"],
  ["a hash of capitals", { inputs: [{ name: "a", sha256: SHA.toUpperCase(), bytes: 1 }] }, "bad-job"],
  ["half a byte", { inputs: [{ name: "a", sha256: SHA, bytes: 0.5 }] }, "bad-job"],
  ["fewer than no bytes", { inputs: [{ name: "a", sha256: SHA, bytes: -1 }] }, "bad-job"],
  ["more bytes than can be counted", { inputs: [{ name: "a", sha256: SHA, bytes: 2 ** 53 }] }, "bad-job"],
  ["one name twice", { inputs: Array.from({ length: 2 }, () => ({ name: "a", sha256: SHA, bytes: 1 })) }, "bad-job"],
  [
    "too many inputs",
    { inputs: Array.from({ length: MAX_INPUTS + 1 }, (_, i) => ({ name: `${i}`, sha256: SHA, bytes: 1 })) },
    "too-large",
  ],
] as const)("%s is refused", ([, over, code]) => {
  expect(() => jobId(spec(over as object))).toThrow(expect.objectContaining({ code }));
});

test("what nests without end is refused before the stack is", () => {
  const ring: Record<string, unknown> = {};
  ring.ring = ring;
  const tower = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
  for (const params of [ring, { tower }] as unknown[]) {
    expect(() => jobId(spec({ params: params as JsonObject }))).toThrow(
      expect.objectContaining({ code: "bad-params" }),
    );
  }
});
