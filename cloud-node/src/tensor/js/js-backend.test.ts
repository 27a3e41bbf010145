import { expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import { CASE_DRAW, caseValues, type TensorCase, tensorCases, transformerCase } from "../tensor-cases.suite.ts";
import { jsBackend } from "./js-backend.ts";

/** Step of the central differences. The oracle computes in double precision: errors are about h² and 1e-16 / h. */
const H = 2 ** -14;
const MAX_RELATIVE = 1e-4;
const MAX_NUMBERS = 40;

test.each([...tensorCases(), transformerCase()])("$name: gradients equal central differences", async (tensorCase) => {
  const engine = await loadCase(tensorCase);
  await engine.backward();
  let checked = 0;
  for (const { name, gradient } of tensorCase.program.parameters) {
    if (gradient === undefined) continue;
    const derived = await engine.get(name, "gradient");
    const values = await engine.get(name);
    const numbers = Array.from({ length: values.length }, (_, i) => i).filter(
      (i) => i % Math.ceil(values.length / MAX_NUMBERS) === 0,
    );
    const size = Math.max(...derived.map(Math.abs), 1e-3);
    for (const i of numbers) {
      const difference =
        ((await lossAt(engine, name, values, i, H)) - (await lossAt(engine, name, values, i, -H))) / (2 * H);
      expect(Math.abs(difference - (derived[i] ?? Number.NaN)) / size, `${name}[${i}]`).toBeLessThan(MAX_RELATIVE);
      checked++;
    }
    engine.set(name, values);
  }
  expect(checked).toBeGreaterThan(10);
});

/** Loss with one number of a parameter moved; steps of a power of two are exact for 32-bit numbers near 1. */
async function lossAt(engine: Engine, name: string, values: Float32Array, at: number, step: number): Promise<number> {
  const moved = values.slice();
  moved[at] = Math.round((values[at] ?? 0) / H) * H + step;
  engine.set(name, moved);
  return engine.forward();
}

async function loadCase(tensorCase: TensorCase): Promise<Engine> {
  const engine = await jsBackend.load(tensorCase.program);
  const { parameters, inputs } = caseValues(tensorCase);
  for (const [name, values] of parameters) engine.set(name, values.map(toGrid));
  for (const [name, values] of inputs) engine.input(name, values);
  engine.setDropout(CASE_DRAW);
  return engine;
}

/** Whole multiples of the step, so that a step away is exact. */
function toGrid(value: number): number {
  return Math.round(value / H) * H;
}
