import { compileModuleText } from "qemu-wasm-runner";
import { beforeAll, describe, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { compareCases } from "./interpreter-comparison.ts";
import { buildHost, CODE_NAMES, type InterpreterCase, runCases } from "./interpreter-host.ts";
import { I32, I64, moduleOf, type NumberType, nameOf, sized, unsigned, vector, writeModule } from "./module-writer.ts";

let host: string;
const END = 0x0b;

/** Sections of a module with one function, of no parameter and result, and its body. */
function withBody(code: readonly number[], { locals = [] as number[][], pages = 1 } = {}): Uint8Array {
  return moduleOf(
    [1, vector([[0x60, 0, 0]])],
    [3, vector([[0]])],
    ...(pages === 0 ? [] : [[5, vector([[0, pages]])] as const]),
    [10, vector([sized([...vector(locals), ...code])])],
  );
}

const text = (wat: string) => compileModuleText("refused.wat", wat);
const many = (count: number, ...bytes: readonly number[]) => Array.from({ length: count }, () => bytes).flat();
const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const TYPE = [1, vector([[0x60, 0, 0]])] as const;

type Refusal = readonly [code: string, wasm: Uint8Array, given?: Partial<InterpreterCase>];

/** One module for each refusal, as small as it can be. */
async function refusals(): Promise<readonly Refusal[]> {
  return [
    ["bad-header", Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0])],
    ["bad-header", Uint8Array.from(HEAD.slice(0, 7))],
    ["truncated", Uint8Array.from([...HEAD, 1, 5, 1])],
    ["truncated", withBody([0x01])],
    ["truncated", Uint8Array.from([...HEAD, 10, 3, 1])],
    ["bad-number", Uint8Array.from([...HEAD, 1, 0xff, 0xff, 0xff, 0xff, 0x1f])],
    ["bad-number", withBody([0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x1a, END].with(5, 0x38))],
    ["bad-number", withBody([0x42, ...many(9, 0x80), 0x02, 0x1a, END])],
    ["bad-section", moduleOf([3, [0]], [1, [0]])],
    ["bad-section", moduleOf([1, [0]], [1, [0]])],
    ["bad-section", moduleOf([1, [0, 0]])],
    ["bad-type", moduleOf([6, vector([[I32, 2, 0x41, 0, END]])])],
    ["bad-index", moduleOf(TYPE, [3, vector([[1]])])],
    ["bad-index", withBody([0x20, 0, 0x1a, END])],
    ["bad-index", withBody([0x23, 0, 0x1a, END])],
    ["bad-index", withBody([0x10, 1, END])],
    ["bad-index", withBody([0x0c, 1, END])],
    ["bad-index", withBody([0x41, 0, 0x28, 2, 0, 0x1a, END], { pages: 0 })],
    ["bad-index", moduleOf([7, vector([[...nameOf("f"), 0, 0]])])],
    ["bad-index", moduleOf([11, vector([[0, 0x41, 0, END, 0]])])],
    ["type-mismatch", withBody([0x6a, 0x1a, END])],
    ["type-mismatch", withBody([0x41, 0, END])],
    ["type-mismatch", withBody([0x41, 0, 0x42, 0, 0x6a, 0x1a, END])],
    ["type-mismatch", withBody([0x41, 0, 0x02, 0x40, 0x1a, END, END])],
    ["type-mismatch", withBody([0x41, 0, 0x04, I32, 0x41, 0, END, 0x1a, END])],
    ["type-mismatch", withBody([0x02, I32, 0x41, 1, 0x41, 0, 0x0e, 1, 0, 1, END, 0x1a, END])],
    ["bad-alignment", withBody([0x41, 0, 0x28, 3, 0, 0x1a, END])],
    ["bad-nesting", withBody([0x05, END])],
    ["bad-nesting", withBody([END, END])],
    ["immutable", IMMUTABLE],
    [
      "duplicate-export",
      moduleOf([5, vector([[0, 1]])], [7, vector([nameOf("m"), nameOf("m")].map((n) => [...n, 2, 0]))]),
    ],
    ["bad-limits", moduleOf([5, vector([[1, 2, 1]])])],
    ["body-count", moduleOf(TYPE, [3, vector([[0]])])],
    ["body-count", moduleOf([10, vector([[2, 0, END]])])],
    ["has-import", await text('(module (import "a" "b" (func)))')],
    ["has-float", await text("(module (func (param f32)))")],
    ["has-float", await text("(module (func (drop (f64.add (f64.const 1) (f64.const 2)))))")],
    ["has-float", withBody([0x41, 0, 0xb2, 0x1a, END])],
    ["has-simd", withBody([0xfd, 12, ...many(16, 0), 0x1a, END])],
    ["has-simd", moduleOf([1, vector([[0x60, 1, 0x7b, 0]])])],
    ["has-table", await text("(module (table 1 funcref))")],
    ["has-table", moduleOf([9, [1]])],
    ["has-start", await text("(module (func $f) (start $f))")],
    ["has-call-indirect", withBody([0x11, 0, 0, END])],
    ["has-memory-size", await text("(module (memory 1) (func (drop (memory.size))))")],
    ["has-memory-grow", await text("(module (memory 1) (func (drop (memory.grow (i32.const 1)))))")],
    ["unknown-opcode", withBody([0xfc, 11, 0, END])],
    ["unknown-opcode", withBody([0x06, END])],
    ["unknown-type", moduleOf([1, vector([[0x60, 0, 2, I32, I32]])])],
    ["unknown-type", moduleOf([1, vector([[0x60, 1, 0x70, 0]])])],
    ["unknown-type", withBody([0x02, 0, END, END])],
    ["passive-data", moduleOf([5, vector([[0, 1]])], [11, vector([[1, 0]])])],
    ["name-not-ascii", moduleOf([0, nameOf("ü")])],
    ["padded-number", withBody([0x0c, 0x80, 0, END])],
    ["unknown-section", moduleOf([12, [0]])],
    ["memory-kind", moduleOf([5, vector([[3, 1, 1]])])],
    [
      "memory-kind",
      moduleOf([
        5,
        vector([
          [0, 1],
          [0, 1],
        ]),
      ]),
    ],
    ["memory-kind", moduleOf([5, vector([[0, 0]])])],
    ["unknown-constant", moduleOf([6, vector([[I32, 0, 0x42, 0, END]])])],
    ["unknown-constant", moduleOf([6, vector([[I32, 0, 0x41, 0, 0x41, 0, 0x6a, END]])])],
    ["module-too-long", moduleOf([0, [...nameOf("x"), ...many(65_535, 0)]])],
    ["too-many-locals", withBody([END], { locals: [[0xff, 0xff, 0xff, 0xff, 0x0f, I32]] })],
    ["too-many-locals", withBody([END], { locals: [[65, I64]] })],
    ["too-many-globals", moduleOf([6, vector(Array.from({ length: 65 }, () => [I64, 0, 0x42, 0, END]))])],
    ["too-deep", withBody([...many(1100, 0x41, 0), ...many(1100, 0x1a), END])],
    ["work-too-small", withBody([...many(20, 0x41, 0), ...many(20, 0x1a), END]), { workHalfwords: 20 }],
    ["work-too-small", withBody([END]), { workHalfwords: 4 }],
    ["work-too-small", moduleOf([6, vector([[I32, 0, 0x41, 0, END]])]), { workHalfwords: 0 }],
    ["index-too-large", twoTables(11_000), { workHalfwords: 70_000 }],
    ["work-too-small", twoTables(22_000), { workHalfwords: 200_000 }],
    ["data-outside", await text('(module (memory 1) (data (i32.const 60) "12345"))'), { memoryBytes: 64 }],
    ["data-outside", await text('(module (memory 1) (data (i32.const -1) ""))'), { memoryBytes: 64 }],
    ["index-refused", withBody([END]), { indexBytes: 20 }],
    ["index-strange", withBody([END]), { indexDamage: 1 }],
    ["memory-too-small", moduleOf([5, vector([[0, 1]])]), { memoryBytes: 7 }],
    ["memory-too-small", moduleOf([6, vector([[I32, 0, 0x41, 0, END]])]), { stackWords: 0 }],
    ["too-many-items", moduleOf([1, vector(Array.from({ length: 256 }, () => [0x60, 0, 0]))])],
    ["too-many-items", moduleOf(TYPE, [3, vector(Array.from({ length: 1024 }, () => [0]))])],
  ];
}

/** Two functions, each with a table of so many branches. */
function twoTables(targets: number): Uint8Array {
  const body = sized([0, 0x41, 0, 0x0e, ...unsigned(targets), ...many(targets + 1, 0), END]);
  return moduleOf(TYPE, [3, vector([[0], [0]])], [10, vector([body, body])]);
}

/** A constant global that is set. */
const IMMUTABLE = moduleOf(
  TYPE,
  [3, vector([[0]])],
  [6, vector([[I32, 0, 0x41, 1, END]])],
  [10, vector([sized([0, 0x41, 2, 0x24, 0, END])])],
);

const STOPS = ["out-of-bounds", "int-overflow", "divide-by-zero", "unreachable", "stack-exhausted", "gas-exhausted"];

requires("c-compiler")("the interpreter", () => {
  beforeAll(() => {
    host = buildHost();
  }, 60_000);

  test("refuses by name, and at a place inside, what is not valid, not for it, or too much", async () => {
    const wanted = await refusals();
    const answers = await runCases(
      host,
      wanted.map(([, wasm, given]) => ({ wasm, calls: [], ...given })),
    );
    expect(answers.map(({ code }, i) => `${i} ${code}`)).toEqual(wanted.map(([code], i) => `${i} ${code}`));
    for (const [i, { at }] of answers.entries()) {
      const [code, wasm] = wanted[i] ?? ["", new Uint8Array()];
      if (code !== "index-strange" && code !== "memory-too-small") expect(at, code).toBeLessThanOrEqual(wasm.length);
    }
    const names = new Set(CODE_NAMES.values());
    expect(new Set([...wanted.map(([code]) => code), ...STOPS, "ok"])).toEqual(names);
  });

  test("says at which byte it refuses", async () => {
    const wasm = withBody([0x01, 0x01, 0xfd, END]);
    const [answer] = await runCases(host, [{ wasm, calls: [] }]);
    expect(answer).toMatchObject({ code: "has-simd", at: wasm.indexOf(0xfd) });
  });

  test("stops a call for want of gas or stack, says where, and can be called on", async () => {
    const wasm = await text(`(module (memory (export "m") 1)
      (func (export "count") (param i32) (result i32)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 7))
      (func $deep (export "deep") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
          (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))))))`);
    const calls = [
      { name: "count", words: [0] },
      { name: "count", words: [10] },
      { name: "deep", words: [1000] },
      { name: "deep", words: [5] },
    ];
    const [answer] = await runCases(host, [{ wasm, gas: 10_000, stackWords: 200, calls }]);
    expect(answer?.calls.map(({ code, low }) => (code === "ok" ? low : code))).toEqual([
      ...["gas-exhausted", 7],
      ...["stack-exhausted", 5],
    ]);
    const [count, , deep] = answer?.calls ?? [];
    // Just behind the branch and the call.
    expect(wasm[(count?.at ?? 0) - 1]).toBe(0x0d);
    expect([...wasm.subarray((deep?.at ?? 2) - 2, deep?.at)]).toEqual([0x10, 1]);
  });

  test("gas is the bytes of code that are run: those of each function called, those of each turn of a loop", async () => {
    const wasm = await text(`(module (func $f) (func (export "f") (call $f) (call $f)))`);
    const [answer] = await runCases(host, [{ wasm, gas: 100, calls: [{ name: "f", words: [] }] }]);
    // Five bytes here, and the end of the other, twice.
    expect(answer?.calls[0]?.gasLeft).toBe(100 - 5 - 2);
  });
});

requires("c-compiler")("arithmetic of the interpreter", () => {
  beforeAll(() => {
    host = buildHost();
  }, 60_000);

  const EDGES = [0n, 1n, 2n, 7n, 31n, 32n, 33n, 63n, 64n, 127n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x8080n];
  const WIDE_EDGES = [...EDGES, 2n ** 63n, 2n ** 63n - 1n, 2n ** 64n - 1n, 0x8000_0000_8000_0000n, 0x1_0000_0000n];
  const words = (type: NumberType, value: bigint) =>
    type === I32 ? [Number(value)] : [Number(value & 0xffff_ffffn), Number(value >> 32n)];

  describe.each([
    [
      "of 32 bits",
      I32,
      EDGES,
      [
        [0x46, 0x4f],
        [0x6a, 0x78],
      ],
      [0x45, 0x67, 0x68, 0x69, 0xac, 0xad, 0xc0, 0xc1],
    ],
    [
      "of 64 bits",
      I64,
      WIDE_EDGES,
      [
        [0x51, 0x5a],
        [0x7c, 0x8a],
      ],
      [0x50, 0x79, 0x7a, 0x7b, 0xa7, 0xc2, 0xc3, 0xc4],
    ],
  ] as const)("%s", (_, type, edges, binary, unary) => {
    test("every instruction gives, or traps, as Node's does, at every edge", async () => {
      const binaries = binary.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (__, i) => from + i));
      const isTest = (opcode: number) => opcode <= 0x5a || opcode === 0xa7;
      const resultOf = (opcode: number) => (isTest(opcode) ? I32 : opcode === 0xac || opcode === 0xad ? I64 : type);
      const functions = [
        ...binaries.map((opcode) => ({
          params: [type, type],
          results: [resultOf(opcode)],
          locals: [],
          code: [0x20, 0, 0x20, 1, opcode],
        })),
        ...unary.map((opcode) => ({
          params: [type],
          results: [resultOf(opcode)],
          locals: [],
          code: [0x20, 0, opcode],
        })),
      ];
      const wasm = writeModule({ functions, globals: [], data: [] });
      // A trap ends neither: each call is a case's own, for a comparison stops at the first that is stopped.
      const calls = functions.flatMap(({ params }, i) =>
        edges.flatMap((a) =>
          (params.length === 2 ? edges : [0n]).map((b) => ({
            name: `f${i}`,
            words: params.length === 2 ? [...words(type, a), ...words(type, b)] : words(type, a),
          })),
        ),
      );
      const tally = await compareCases(host, [{ wasm, calls }]);
      expect(tally.differences).toEqual([]);
      expect(tally.calls).toBe(calls.length);
      // Four divisions by zero at each edge, and the least number by -1.
      expect(tally.traps).toBe(4 * edges.length + 1);
    });
  });

  test("what is written down of division, remainder, shifts and counts is what it gives", async () => {
    const wasm = await text(`(module
      (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
      (func (export "rem") (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
      (func (export "shl") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
      (func (export "rotl") (param i64 i64) (result i64) (i64.rotl (local.get 0) (local.get 1)))
      (func (export "clz") (param i64) (result i64) (i64.clz (local.get 0))))`);
    const calls = [
      { name: "div", words: [-7 >>> 0, 2] },
      { name: "div", words: [2 ** 31, 2 ** 32 - 1] },
      { name: "div", words: [1, 0] },
      { name: "rem", words: [-7 >>> 0, 2] },
      { name: "rem", words: [2 ** 31, 2 ** 32 - 1] },
      { name: "shl", words: [1, 33] },
      { name: "rotl", words: [1, 2 ** 31, 1, 0] },
      { name: "clz", words: [1, 0] },
    ];
    const [answer] = await runCases(host, [{ wasm, calls }]);
    expect(answer?.calls.map(({ code, low }) => (code === "ok" ? low | 0 : code))).toEqual([
      ...[-3, "int-overflow", "divide-by-zero", -1, 0, 2, 3, 63],
    ]);
  });
});
