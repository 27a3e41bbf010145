import { describe, expect, test } from "vitest";
import type { Backend, Engine } from "./engine.ts";
import { jsBackend } from "./js/js-backend.ts";
import { caseValues, type TensorCase, tensorCases, transformerCase } from "./tensor-cases.suite.ts";

/** What every backend of 32-bit floats keeps to, beside the oracle in double precision. */
export function engineSuite(backend: Backend): void {
  describe(backend.name, () => {
    test.each([...tensorCases(), transformerCase()])(
      "$name: loss and gradients are the oracle's",
      async (tensorCase) => {
        const [engine, oracle] = [await loadCase(backend, tensorCase), await loadCase(jsBackend, tensorCase)];
        const loss = oracle.backward();
        expect(Math.abs(engine.backward() - loss) / loss).toBeLessThan(2e-6);
        for (const { name, gradient } of tensorCase.program.parameters) {
          if (gradient === undefined) continue;
          expect(distance(engine.get(name, "gradient"), oracle.get(name, "gradient")), name).toBeLessThan(1e-5);
        }
      },
    );

    test("a second run gives the same bits as the first", async () => {
      const engine = await loadCase(backend, transformerCase());
      const first = [engine.backward(), engine.get("table", "gradient")];
      expect([engine.backward(), engine.get("table", "gradient")]).toEqual(first);
    });
  });
}

/** An engine with a case's parameters and inputs. */
export async function loadCase(backend: Backend, tensorCase: TensorCase): Promise<Engine> {
  const engine = await backend.load(tensorCase.program);
  const { parameters, inputs } = caseValues(tensorCase);
  for (const [name, values] of parameters) engine.set(name, values);
  for (const [name, values] of inputs) engine.input(name, values);
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
