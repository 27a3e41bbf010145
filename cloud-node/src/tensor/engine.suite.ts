import { describe, expect, test } from "vitest";
import type { Backend, Engine } from "./engine.ts";
import { jsBackend } from "./js/js-backend.ts";
import type { Program } from "./program.ts";
import { ProgramBuilder } from "./program-builder.ts";
import { normalNumbers } from "./random.ts";
import { sizeOf, type Tensor } from "./tensor.ts";
import { CASE_DRAW, caseValues, type TensorCase, tensorCases, transformerCase } from "./tensor-cases.suite.ts";

/** What every backend of 32-bit floats keeps to, beside the oracle in double precision. */
export function engineSuite(backend: Backend): void {
  describe(backend.name, () => {
    test.each([...tensorCases(), transformerCase()])(
      "$name: loss and gradients are the oracle's",
      async (tensorCase) => {
        const [engine, oracle] = [await loadCase(backend, tensorCase), await loadCase(jsBackend, tensorCase)];
        const loss = await oracle.backward();
        expect(Math.abs((await engine.backward()) - loss) / loss).toBeLessThan(2e-6);
        for (const { name, gradient } of tensorCase.program.parameters) {
          if (gradient === undefined) continue;
          expect(distance(await engine.get(name, "gradient"), await oracle.get(name, "gradient")), name).toBeLessThan(
            1e-5,
          );
        }
      },
    );

    test("sampling row by row over a cache gives what attention over the whole sequence gives", async () => {
      const { whole, steps } = samplingPrograms();
      const [full, cached] = [await backend.load(whole), await backend.load(steps)];
      const x = normalNumbers(SAMPLED.T * SAMPLED_WIDTH, 1, 1, "x");
      for (const { name, tensor } of whole.parameters) {
        const values = normalNumbers(sizeOf(tensor.shape), 0.3, 2, name);
        for (const engine of [full, cached]) engine.set(name, values);
      }
      full.input("x", x);
      await full.forward();
      const want = await full.read(whole.output);
      for (let row = 0; row < SAMPLED.T; row++) {
        const at = row * SAMPLED_WIDTH;
        cached.input("x", x.subarray(at, at + SAMPLED_WIDTH));
        cached.input("position", Int32Array.of(row));
        await cached.forward();
        expect(distance(await cached.read(steps.output), want.subarray(at, at + SAMPLED_WIDTH))).toBeLessThan(1e-5);
      }
    });

    test("a parameter that is no number makes the loss none, changes nothing, and is gone when it is set again", async () => {
      const tensorCase = transformerCase();
      const engine = await loadCase(backend, tensorCase);
      const loss = await engine.backward();
      const table = await engine.get("table");
      engine.set(
        "table",
        table.map(() => Number.NaN),
      );
      expect(await engine.backward()).toBeNaN();
      const before = await engine.get("0.qkv");
      const group = { beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1, learningRate: 0.1 };
      const groups = [{ kind: "adamw", parameters: ["0.qkv"], ...group } as const];
      expect(await engine.step({ step: 1, clipNorm: 1, groups })).toBeNaN();
      expect(await engine.train({ step: 1, clipNorm: 1, groups })).toEqual({
        loss: Number.NaN,
        gradientNorm: Number.NaN,
      });
      expect(await engine.get("0.qkv")).toEqual(before);
      engine.set("table", table);
      expect(await engine.backward()).toBe(loss);
      expect((await engine.get("0.qkv", "gradient")).every(Number.isFinite)).toBe(true);
    });

    test("one logit that is no number makes the loss none", async () => {
      const b = new ProgramBuilder();
      const logits = b.parameter("logits", [3, 21]);
      const engine = await backend.load(b.build(b.crossEntropy(logits, b.input("targets", [3], "i32"))));
      engine.input("targets", Int32Array.of(0, 1, 2));
      for (const at of [0, 5, 20, 30, 62]) {
        const values = normalNumbers(63, 1, 1, "logits");
        values[at] = Number.NaN;
        engine.set("logits", values);
        expect(await engine.forward(), `logit ${at}`).toBeNaN();
      }
    });

    test("rows that are masked do not count, and a loss of nothing is 0", async () => {
      const tensorCase = transformerCase();
      const engine = await loadCase(backend, tensorCase);
      engine.input("targets", new Int32Array(24).fill(-1));
      expect(await engine.backward()).toBe(0);
      expect((await engine.get("0.up", "gradient")).every((number) => number === 0)).toBe(true);
    });

    test("Muon makes a step of nearly equal length in every direction", async () => {
      const tensorCase = transformerCase();
      const engine = await loadCase(backend, tensorCase);
      for (const [name, rows, columns] of [
        ["0.up", 16, 64],
        ["0.down", 64, 16],
      ] as const) {
        const before = await engine.get(name);
        await engine.backward();
        await engine.step({
          step: 1,
          groups: [{ kind: "muon", parameters: [name], learningRate: 1, momentum: 0, weightDecay: 0 }],
        });
        const scale = Math.sqrt(Math.max(1, columns / rows));
        const moved = (await engine.get(name)).map((value, i) => ((before[i] ?? 0) - value) / scale);
        // Five steps of the quintic leave singular values in 0.68 … 1.13, as its authors say, small ones below.
        const lengths = singularValues(moved, rows, columns);
        expect(Math.max(...lengths)).toBeLessThan(1.25);
        expect(Math.min(...lengths)).toBeGreaterThan(0.3);
      }
    });

    test("a second run gives the same bits as the first", async () => {
      const engine = await loadCase(backend, transformerCase());
      const run = async () => [await engine.backward(), await engine.get("table", "gradient")];
      const first = await run();
      expect(await run()).toEqual(first);
    });
  });
}

/** A layer that samples. */
export const SAMPLED = { B: 1, T: 9, heads: 4, kvHeads: 2, headDim: 6 } as const;
export const SAMPLED_WIDTH = SAMPLED.heads * SAMPLED.headDim;

/** The same layer over a whole sequence, and for one row at a time. */
export function samplingPrograms(): { readonly whole: Program; readonly steps: Program } {
  const build = (rows: number, mix: (b: ProgramBuilder, q: Tensor, k: Tensor, v: Tensor) => Tensor) => {
    const b = new ProgramBuilder();
    const x = b.input("x", [rows, SAMPLED_WIDTH], "f32");
    const project = (name: string, width: number) => b.matmul(x, b.parameter(name, [SAMPLED_WIDTH, width]));
    const kvWidth = SAMPLED.kvHeads * SAMPLED.headDim;
    const out = mix(b, project("q", SAMPLED_WIDTH), project("k", kvWidth), project("v", kvWidth));
    return b.build(out, { withGradients: false });
  };
  const turn = { headDim: SAMPLED.headDim, theta: 100, T: SAMPLED.T };
  const { heads, kvHeads } = SAMPLED;
  return {
    whole: build(SAMPLED.T, (b, q, k, v) =>
      b.causalAttention(b.rope(q, { ...turn, heads }), b.rope(k, { ...turn, heads: kvHeads }), v, SAMPLED),
    ),
    steps: build(1, (b, q, k, v) => {
      const positions = b.input("position", [1], "i32");
      const [turnedQ, turnedK] = [
        b.rope(q, { ...turn, heads, positions }),
        b.rope(k, { ...turn, heads: kvHeads, positions }),
      ];
      return b.cachedAttention(turnedQ, turnedK, v, positions, { ...SAMPLED, capacity: SAMPLED.T });
    }),
  };
}

/** By Jacobi rotations of the smaller side's vectors, until they are orthogonal: their lengths. */
function singularValues(matrix: Float32Array, rows: number, columns: number): number[] {
  const at = (row: number, column: number) => matrix[row * columns + column] ?? 0;
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors = Array.from({ length: count }, (_, i) =>
    Float64Array.from({ length }, (_, j) => (rows < columns ? at(i, j) : at(j, i))),
  );
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const [i, a] of vectors.entries()) {
      for (const b of vectors.slice(i + 1)) {
        const angle = 0.5 * Math.atan2(2 * dot(a, b), dot(a, a) - dot(b, b));
        const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
        for (let j = 0; j < length; j++) {
          const [x, y] = [a[j] ?? 0, b[j] ?? 0];
          a[j] = cosine * x + sine * y;
          b[j] = cosine * y - sine * x;
        }
      }
    }
  }
  return vectors.map((vector) => Math.sqrt(dot(vector, vector)));
}

/** An engine with a case's parameters and inputs. */
export async function loadCase(backend: Backend, tensorCase: TensorCase): Promise<Engine> {
  const engine = await backend.load(tensorCase.program);
  const { parameters, inputs } = caseValues(tensorCase);
  for (const [name, values] of parameters) engine.set(name, values);
  for (const [name, values] of inputs) engine.input(name, values);
  engine.setDropout(CASE_DRAW);
  return engine;
}

/** Largest difference, relative to the largest number of the second. */
export function distance(have: Float32Array, want: Float32Array): number {
  let [apart, largest] = [0, 1e-6];
  for (const [i, number] of want.entries()) {
    apart = Math.max(apart, Math.abs((have[i] ?? Number.NaN) - number));
    largest = Math.max(largest, Math.abs(number));
    if (Number.isNaN(have[i])) return Number.NaN;
  }
  return apart / largest;
}
