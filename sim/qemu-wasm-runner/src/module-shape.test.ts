import { expect, test } from "vitest";
import { readModuleShape } from "./module-shape.ts";

const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

test("exports, memory and tables are read in the module's order", () => {
  const wasm = Uint8Array.from([
    ...HEAD,
    ...[1, 7, 1, 0x60, 2, 0x7f, 0x7e, 1, 0x7f], // one type: (i32, i64) -> i32
    ...[3, 2, 1, 0],
    ...[4, 4, 1, 0x70, 0, 5],
    ...[5, 4, 1, 1, 1, 3],
    ...[6, 6, 1, 0x7e, 1, 0x42, 0x7b, 0x0b], // global i64 = -5
    ...[7, 13, 3, 1, 0x66, 0, 0, 1, 0x6d, 2, 0, 1, 0x67, 3, 0],
    ...[10, 6, 1, 4, 0, 0x20, 0, 0x0b],
  ]);
  expect(readModuleShape(wasm)).toEqual({
    exports: [
      { kind: "function", name: "f", signature: { params: ["i32", "i64"], results: ["i32"] } },
      { kind: "memory", name: "m" },
      { kind: "global", name: "g", type: "i64" },
    ],
    memory: { pages: 1, most: 3 },
    tableEntries: 5,
  });
});

test("an empty module exports nothing", () => {
  expect(readModuleShape(Uint8Array.from(HEAD))).toEqual({ exports: [], memory: null, tableEntries: 0 });
});

test.for([
  ["bad-module", "no module at all", [1, 2, 3]],
  ["has-imports", "an import", [...HEAD, 2, 10, 1, 3, 0x65, 0x6e, 0x76, 1, 0x6d, 2, 0, 1]],
  [
    "not-integer-only",
    "an exported float",
    [...HEAD, 6, 9, 1, 0x7d, 0, 0x43, 0, 0, 0, 0, 0x0b, 7, 5, 1, 1, 0x67, 3, 0],
  ],
] as const)("%s: %s is refused", ([code, , bytes]) => {
  expect(() => readModuleShape(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code }));
});

test("a module that was cut off is told with the place", () => {
  const cut = Uint8Array.from([...HEAD, 1, 7, 1, 0x60]);
  const told = { code: "bad-module", facts: { bytes: cut.length, said: expect.stringMatching(/@\+\d+/) } };
  expect(() => readModuleShape(cut)).toThrow(expect.objectContaining(told));
});
