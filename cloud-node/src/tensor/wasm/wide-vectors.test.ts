import { describe, expect, test } from "vitest";
import { loadCase } from "../engine.suite.ts";
import type { Engine } from "../engine.ts";
import type { OptimizerStep } from "../optimizer.ts";
import { ProgramBuilder } from "../program-builder.ts";
import { normalNumbers } from "../random.ts";
import { sizeOf } from "../tensor.ts";
import { type TensorCase, tensorCases, transformerCase } from "../tensor-cases.suite.ts";
import { compileTensorModule, type TensorBuild } from "./tensor-module.ts";
import { wasmBackend } from "./wasm-backend.ts";
import { isCompiledWide } from "./wide-vectors.ts";

const BUILDS: readonly TensorBuild[] = ["wasm-strict", "wasm-relaxed"];
/** Rows, inner, columns: whole tiles, halves of one, and what is left of both; more than one block of each. */
const PRODUCTS = [
  [40, 32, 48],
  [37, 29, 24],
  [61, 65, 23],
  [131, 401, 9],
  [7, 64, 530],
] as const;

test("modules are compiled for wide vectors where this host has them, and only when that is wanted", () => {
  const isAble = process.arch === "x64" && process.versions.node.startsWith("24.");
  for (const build of BUILDS) {
    expect(isCompiledWide(compileTensorModule(build, 256))).toBe(isAble);
    expect(isCompiledWide(compileTensorModule(build, 128))).toBe(false);
  }
});

describe.each(BUILDS)("%s with wide vectors gives the same bits as without", (build) => {
  test.each([...tensorCases(), transformerCase()])("$name, after steps of both optimizers", async (tensorCase) => {
    const run = async (vectorBits: 128 | 256) => {
      const engine = await loadCase(wasmBackend(build, vectorBits), tensorCase);
      const losses = [engine.backward(), engine.step(updateOf(tensorCase)), engine.backward()];
      return [losses, ...partsOf(engine)];
    };
    expect(await run(256)).toEqual(await run(128));
  });

  test.each(PRODUCTS)("a product of %i by %i by %i, with bias and residual", async (rows, inner, columns) => {
    const b = new ProgramBuilder();
    const parameter = (name: string, shape: readonly number[]) => b.parameter(name, shape);
    const [x, w] = [parameter("x", [rows, inner]), parameter("w", [inner, columns])];
    const more = { bias: parameter("bias", [columns]), residual: parameter("residual", [rows, columns]) };
    const program = b.build(b.crossEntropy(b.matmul(x, w, more), b.input("targets", [rows], "i32")));
    const run = async (vectorBits: 128 | 256) => {
      const engine = await wasmBackend(build, vectorBits).load(program);
      for (const { name, tensor } of program.parameters) {
        engine.set(name, normalNumbers(sizeOf(tensor.shape), 0.3, 1, name));
      }
      return [engine.backward(), ...partsOf(engine)];
    };
    expect(await run(256)).toEqual(await run(128));
  });
});

function partsOf(engine: Engine): Float32Array[] {
  const parts = ["value", "gradient", "average", "squareAverage"] as const;
  return engine.program.parameters.flatMap(({ name, gradient }) =>
    gradient === undefined ? [] : parts.map((part) => engine.get(name, part)),
  );
}

/** Muon for matrices, AdamW for the rest. */
function updateOf({ program }: TensorCase): OptimizerStep {
  const trained = program.parameters.filter(({ gradient }) => gradient !== undefined);
  const names = (isMatrix: boolean) =>
    trained.filter(({ matrix }) => (matrix !== undefined) === isMatrix).map(({ name }) => name);
  const adamw = { learningRate: 1e-2, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 };
  return {
    step: 1,
    clipNorm: 1,
    groups: [
      { kind: "adamw", parameters: names(false), ...adamw },
      { kind: "muon", parameters: names(true), learningRate: 0.02, momentum: 0.9, weightDecay: 0.01 },
    ],
  };
}
