import { expect, test } from "vitest";
import { loadCase } from "./engine.suite.ts";
import { jsBackend } from "./js/js-backend.ts";
import { ProgramBuilder } from "./program-builder.ts";
import type { Tensor } from "./tensor.ts";
import { transformerCase } from "./tensor-cases.suite.ts";
import { TensorError, type TensorErrorCode } from "./tensor-error.ts";

const refused: readonly [string, TensorErrorCode, (b: ProgramBuilder) => unknown][] = [
  ["a shape without axes", "bad-value", (b) => b.parameter("x", [])],
  ["a length of 0", "bad-value", (b) => b.parameter("x", [3, 0])],
  ["a broken length", "bad-value", (b) => b.parameter("x", [1.5])],
  ["a tensor that no address reaches", "too-large", (b) => b.parameter("x", [2 ** 15, 2 ** 15])],
  ["a name twice", "name-taken", (b) => [b.parameter("x", [1]), b.input("x", [1], "f32")]],
  ["a weight of another width", "shape-mismatch", (b) => b.matmul(matrix(b, "x", 2, 3), matrix(b, "w", 2, 3))],
  [
    "a bias of another width",
    "shape-mismatch",
    (b) => b.matmul(matrix(b, "x", 2, 3), matrix(b, "w", 3, 4), { bias: b.parameter("b", [3]) }),
  ],
  ["a sum that does not repeat", "shape-mismatch", (b) => b.add(matrix(b, "x", 2, 3), b.parameter("y", [4]))],
  ["a product of two shapes", "shape-mismatch", (b) => b.mul(matrix(b, "x", 2, 3), matrix(b, "y", 3, 2))],
  ["a reshape to another count", "shape-mismatch", (b) => b.reshape(matrix(b, "x", 2, 3), [7])],
  ["a split that leaves columns", "shape-mismatch", (b) => b.split(matrix(b, "x", 2, 3), [1, 1])],
  [
    "arithmetic on a part of a split",
    "not-contiguous",
    (b) => b.split(matrix(b, "x", 2, 4), [2, 2]).map((part) => b.gelu(part)),
  ],
  ["heads that do not group", "shape-mismatch", (b) => attend(b, 3, 2)],
  [
    "rotations of an odd head",
    "bad-value",
    (b) => b.rope(matrix(b, "x", 2, 3), { heads: 1, headDim: 3, theta: 10, T: 2 }),
  ],
  ["dropout of everything", "bad-value", (b) => b.dropout(matrix(b, "x", 2, 3), { name: "d", rate: 1 })],
  ["dropout of less than nothing", "bad-value", (b) => b.dropout(matrix(b, "x", 2, 3), { name: "d", rate: -0.1 })],
  ["a dropout's name twice", "name-taken", (b) => [dropped(b, "x"), dropped(b, "y")]],
  ["an embedding by what is no input", "bad-value", (b) => b.embedding(matrix(b, "x", 2, 3), b.parameter("ids", [4]))],
  ["targets of another count", "shape-mismatch", (b) => b.crossEntropy(matrix(b, "x", 2, 3), b.input("t", [3], "i32"))],
  ["a loss that is no scalar", "shape-mismatch", (b) => b.build(matrix(b, "x", 2, 3))],
  ["gradients of nothing", "no-gradient", (b) => b.build(b.scale(b.input("x", [1], "f32"), 2))],
];

test.each(refused)("%s is refused: %s", async (_, code, record) => {
  expect(await codeOf(() => record(new ProgramBuilder()))).toBe(code);
});

test("a program is plain data: it survives being sent to a thread", () => {
  const { program } = transformerCase();
  expect(structuredClone(program)).toEqual(program);
});

test("gradients of two layers take little more room than those of one", () => {
  const sizeOfLayers = (layers: number) => {
    const b = new ProgramBuilder();
    let x = matrix(b, "x", 64, 64);
    for (let layer = 0; layer < layers; layer++) x = b.relu2(b.matmul(x, matrix(b, `w${layer}`, 64, 64)));
    return b.build(b.crossEntropy(x, b.input("targets", [64], "i32"))).sizes.work;
  };
  // A layer keeps its two results; the gradients of one layer are written where another's were.
  expect(sizeOfLayers(9) - sizeOfLayers(8)).toBe(2 * 64 * 64);
});

test("queries and keys of all layers are turned by one table", () => {
  const b = new ProgramBuilder();
  const turn = { heads: 1, headDim: 4, theta: 10, T: 2 };
  const x = b.rope(b.rope(matrix(b, "x", 2, 4), turn), turn);
  expect(b.build(b.rope(x, { ...turn, theta: 20 }), { withGradients: false }).constants).toHaveLength(2);
});

test("what an engine is given is checked, and nothing is changed by what is refused", async () => {
  const engine = await loadCase(jsBackend, transformerCase());
  const loss = await engine.forward();
  const group = { learningRate: 1, beta1: 0, beta2: 0, eps: 1, weightDecay: 0 };
  const calls: readonly [TensorErrorCode, () => unknown][] = [
    ["unknown-name", () => engine.get("nothing")],
    ["unknown-name", () => engine.set("ids", new Float32Array(24))],
    ["unknown-name", () => engine.input("table", new Float32Array(176))],
    ["shape-mismatch", () => engine.set("table", new Float32Array(175))],
    ["shape-mismatch", () => engine.get("table", "value", new Float32Array(1))],
    ["shape-mismatch", () => engine.input("ids", new Int32Array(25))],
    ["bad-value", () => engine.input("ids", new Int32Array(24).fill(11))],
    ["bad-value", () => engine.input("ids", new Int32Array(24).fill(-1))],
    ["bad-value", () => engine.input("targets", new Int32Array(24).fill(-2))],
    ["bad-value", () => engine.input("ids", new Float32Array(24).fill(0.5))],
    ["bad-value", () => engine.step({ step: 0, groups: [] })],
    ["unknown-name", () => engine.step({ step: 1, groups: [{ kind: "adamw", parameters: ["nothing"], ...group }] })],
    [
      "bad-value",
      () => engine.step({ step: 1, groups: [{ kind: "muon", parameters: ["0.gain"], momentum: 0, ...group }] }),
    ],
  ];
  for (const [code, call] of calls) expect(await codeOf(call), String(call)).toBe(code);
  expect(await engine.forward()).toBe(loss);
  engine.close();
  for (const call of [
    () => engine.forward(),
    () => engine.get("table"),
    () => engine.input("ids", new Int32Array(24)),
  ]) {
    expect(await codeOf(call)).toBe("closed");
  }
});

function matrix(b: ProgramBuilder, name: string, rows: number, columns: number): Tensor {
  return b.parameter(name, [rows, columns]);
}

function dropped(b: ProgramBuilder, name: string): Tensor {
  return b.dropout(matrix(b, name, 2, 3), { name: "d", rate: 0.5 });
}

function attend(b: ProgramBuilder, heads: number, kvHeads: number): Tensor {
  const [q, k, v] = [matrix(b, "q", 4, heads * 2), matrix(b, "k", 4, kvHeads * 2), matrix(b, "v", 4, kvHeads * 2)];
  return b.causalAttention(q, k, v, { B: 1, T: 4, heads, kvHeads, headDim: 2 });
}

async function codeOf(call: () => unknown): Promise<TensorErrorCode | undefined> {
  try {
    await call();
  } catch (error) {
    if (error instanceof TensorError) return error.code;
    throw error;
  }
  return undefined;
}
