import { expect, test } from "vitest";
import { describeOn } from "../backend.suite.ts";
import { dropoutSuite } from "../dropout.suite.ts";
import { engineSuite, loadCase } from "../engine.suite.ts";
import type { Engine, ParameterPart } from "../engine.ts";
import { ProgramBuilder } from "../program-builder.ts";
import { tensorCases, transformerCase } from "../tensor-cases.suite.ts";
import { loadOrt, ortBackend } from "./ort-backend.ts";

const PARTS: readonly ParameterPart[] = ["value", "average", "squareAverage"];

describeOn("ort")("in ONNX Runtime", () => {
  engineSuite(ortBackend);
  dropoutSuite(ortBackend);

  test("training that goes on in another engine, from what the first gave out, ends with the same bits", async () => {
    const tensorCase = transformerCase();
    const names = tensorCase.program.parameters.map(({ name }) => name);
    const [whole, first, second] = [
      await loadCase(ortBackend, tensorCase),
      await loadCase(ortBackend, tensorCase),
      await loadCase(ortBackend, tensorCase),
    ];
    await train(whole, names, [1, 2, 3, 4, 5, 6]);
    await train(first, names, [1, 2, 3]);
    for (const name of names) for (const part of PARTS) second.set(name, await first.get(name, part), part);
    await train(second, names, [4, 5, 6]);
    for (const name of names) expect(await second.get(name), name).toEqual(await whole.get(name));
  });

  test("two threads give the bits of one", async () => {
    const cases = tensorCases().filter(({ name }) => /head too|more than one block|37 rows/.test(name));
    expect(cases).toHaveLength(3);
    for (const tensorCase of cases) {
      const results = [1, 2].map(async (threads) => {
        const engine = await loadCase({ name: "ort", load: (program) => loadOrt(program, threads) }, tensorCase);
        const loss = await engine.backward();
        const trained = tensorCase.program.parameters.filter(({ gradient }) => gradient !== undefined);
        return [loss, ...(await Promise.all(trained.map(({ name }) => engine.get(name, "gradient"))))];
      });
      expect(await results[1]).toEqual(await results[0]);
    }
  });

  test("only the output of a program can be read, in parts too", async () => {
    const b = new ProgramBuilder();
    const inner = b.matmul(b.parameter("x", [3, 2]), b.parameter("w", [2, 6]));
    const [part = inner] = b.split(inner, [2, 4]);
    const engine = await ortBackend.load(b.build(part, { withGradients: false }));
    engine.set("x", Float32Array.of(1, 0, 0, 1, 1, 1));
    engine.set(
      "w",
      Float32Array.from({ length: 12 }, (_, i) => i),
    );
    await engine.forward();
    expect([...(await engine.read(part))]).toEqual([0, 1, 6, 7, 6, 8]);
    const b2 = new ProgramBuilder();
    const hidden = b2.matmul(b2.parameter("x", [3, 2]), b2.parameter("w", [2, 6]));
    const other = await ortBackend.load(b2.build(b2.gelu(hidden), { withGradients: false }));
    await expect(other.read(hidden)).rejects.toMatchObject({ code: "not-kept" });
  });
});

async function train(engine: Engine, parameters: readonly string[], steps: readonly number[]): Promise<void> {
  const group = { learningRate: 1e-2, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 };
  for (const step of steps) {
    await engine.train({ step, clipNorm: 1, groups: [{ kind: "adamw", parameters, ...group }] });
  }
}
