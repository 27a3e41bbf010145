import { createHash } from "node:crypto";
import type { JobBlob, JsonObject } from "../src/index.ts";

const U53 = Number.MAX_SAFE_INTEGER;
const ID = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ZEROS = "00".repeat(32);
const ONES = "ff".repeat(32);

/** One job, and the id that everybody gives it. */
export interface JobIdCase {
  readonly about: string;
  readonly workload: string;
  readonly params: JsonObject;
  readonly inputs: readonly JobBlob[];
  readonly salt: string;
  /** The canonical form, written by hand. */
  readonly content: string;
}

const JOB_ID_CASES: readonly JobIdCase[] = [
  {
    about: "nothing that could be left out",
    workload: "a",
    params: {},
    inputs: [],
    salt: "",
    content: '{"inputs":[],"params":{},"salt":"","workload":"a"}',
  },
  {
    about: "keys and inputs come in order, at every level",
    workload: "telemetry",
    params: { z: 1, a: { y: [3, 2, 1], b: null } },
    inputs: [
      { name: "b.csv", sha256: ONES, bytes: 2 },
      { name: "a.csv", sha256: ID, bytes: U53 },
      { name: "B.csv", sha256: ZEROS, bytes: 0 },
    ],
    salt: "again-2",
    content: `{"inputs":[["B.csv","${ZEROS}",0],["a.csv","${ID}",9007199254740991],["b.csv","${ONES}",2]],"params":{"a":{"b":null,"y":[3,2,1]},"z":1},"salt":"again-2","workload":"telemetry"}`,
  },
  {
    about: "numbers as RFC 8785 has them",
    workload: "numbers",
    params: { n: [0.5, -0, 1e21, 1e-7, 100, -1.5e300, 4.35] },
    inputs: [],
    salt: "",
    content: '{"inputs":[],"params":{"n":[0.5,0,1e+21,1e-7,100,-1.5e+300,4.35]},"salt":"","workload":"numbers"}',
  },
  {
    about: "texts as RFC 8785 has them, keys in order of their UTF-16 units",
    workload: "texts",
    params: { "\ufb33": '\u0007\t"\\/', "\u{1f600}": "√é", "é!": true, "1": false, "": "" },
    inputs: [],
    salt: "",
    content:
      '{"inputs":[],"params":{"":"","1":false,"é!":true,"😀":"√é","\ufb33":"\\u0007\\t\\"\\\\/"},"salt":"","workload":"texts"}',
  },
];

/** What is written down of ids. */
export function jobIdVectors(): readonly (JobIdCase & { readonly id: string })[] {
  return JOB_ID_CASES.map((one) => ({ ...one, id: createHash("sha256").update(one.content, "utf8").digest("hex") }));
}
