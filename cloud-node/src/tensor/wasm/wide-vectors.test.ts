import { describe, expect, test } from "vitest";
import { loadCase, SAMPLED, SAMPLED_WIDTH, samplingPrograms } from "../engine.suite.ts";
import type { Engine } from "../engine.ts";
import type { OptimizerStep } from "../optimizer.ts";
import { ProgramBuilder } from "../program-builder.ts";
import { normalNumbers } from "../random.ts";
import { sizeOf } from "../tensor.ts";
import { type TensorCase, tensorCases, transformerCase } from "../tensor-cases.suite.ts";
import { compileTensorModule, instantiateTensorModule, type TensorBuild, type TensorExports } from "./tensor-module.ts";
import { wasmBackend } from "./wasm-backend.ts";
import { haveSameBits, WIDE_KERNELS } from "./wide-kernels.ts";
import { canCompileWide } from "./wide-vectors.ts";

const BUILDS: readonly TensorBuild[] = ["wasm-strict", "wasm-relaxed"];
/** Rows, inner, columns: whole tiles, halves of one, and what is left of both; more than one block of each. */
const PRODUCTS = [
  [40, 32, 48],
  [37, 29, 24],
  [61, 65, 23],
  [131, 401, 9],
  [7, 64, 530],
] as const;

test("kernels are compiled for wide vectors where this host has them and is not told otherwise", () => {
  for (const build of BUILDS) {
    expect(compileTensorModule(build).wide !== undefined).toBe(canCompileWide());
    expect(compileTensorModule(build, 128).wide).toBeUndefined();
  }
});

describe("wide kernels are taken only if their bits are the same", () => {
  const instance = (build: TensorBuild) => (memory: WebAssembly.Memory) =>
    instantiateTensorModule(compileTensorModule(build, 128), memory);

  test("as those of one module are", () => {
    expect(haveSameBits(instance("wasm-strict"), instance("wasm-strict"))).toBe(true);
  });

  test("and those of modules that round otherwise are not", () => {
    expect(haveSameBits(instance("wasm-strict"), instance("wasm-relaxed"))).toBe(false);
  });

  test.each(WIDE_KERNELS)("a last bit that %s gets wrong is found", (name) => {
    const spoiled = (memory: WebAssembly.Memory): TensorExports => {
      const kernels = instance("wasm-strict")(memory);
      const call = (...args: number[]) => {
        const run = kernels[name] as (...numbers: readonly number[]) => void;
        run(...args);
        const [out = 0] = args;
        const words = new Uint32Array(memory.buffer, out, 1);
        words[0] = (words[0] ?? 0) ^ 1;
      };
      return { ...kernels, [name]: call };
    };
    expect(haveSameBits(instance("wasm-strict"), spoiled)).toBe(false);
  });
});

describe.each(BUILDS)("%s with wide vectors gives the same bits as without", (build) => {
  test.each([...tensorCases(), transformerCase()])("$name, after steps of both optimizers", async (tensorCase) => {
    const run = async (vectorBits: 128 | 256) => {
      const engine = await loadCase(wasmBackend(build, vectorBits), tensorCase);
      const { loss, gradientNorm } = await engine.train(updateOf(tensorCase));
      return [loss, gradientNorm, await engine.backward(), ...(await partsOf(engine))];
    };
    expect(await run(256)).toEqual(await run(128));
  });

  test("sampling over a cache", async () => {
    const { steps } = samplingPrograms();
    const run = async (vectorBits: 128 | 256) => {
      const engine = await wasmBackend(build, vectorBits).load(steps);
      const numbers = (shape: readonly number[], name: string) => normalNumbers(sizeOf(shape), 0.3, 2, name);
      for (const { name, tensor } of steps.parameters) engine.set(name, numbers(tensor.shape, name));
      const rows: Float32Array[] = [];
      for (let row = 0; row < SAMPLED.T; row++) {
        engine.input("x", normalNumbers(SAMPLED_WIDTH, 1, 1, `x/${row}`));
        engine.input("position", Int32Array.of(row));
        await engine.forward();
        rows.push(await engine.read(steps.output));
      }
      return rows;
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
      return [await engine.backward(), ...(await partsOf(engine))];
    };
    expect(await run(256)).toEqual(await run(128));
  });
});

async function partsOf(engine: Engine): Promise<Float32Array[]> {
  const parts = ["value", "gradient", "average", "squareAverage"] as const;
  const found: Float32Array[] = [];
  for (const { name, gradient } of engine.program.parameters) {
    if (gradient !== undefined) for (const part of parts) found.push(await engine.get(name, part));
  }
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((values) => values.every(Number.isFinite))).toBe(true);
  return found;
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
