import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { dropoutSuite } from "../dropout.suite.ts";
import { engineSuite, loadCase } from "../engine.suite.ts";
import { jsBackend } from "../js/js-backend.ts";
import { attentionScratch } from "../kernels.ts";
import { ProgramBuilder } from "../program-builder.ts";
import { normalNumbers } from "../random.ts";
import { sizeOf } from "../tensor.ts";
import { transformerCase } from "../tensor-cases.suite.ts";
import { compileTensorModule, instantiateTensorModule } from "./tensor-module.ts";
import { wasmBackend, wasmRelaxedBackend, wasmStrictBackend } from "./wasm-backend.ts";

engineSuite(jsBackend);
engineSuite(wasmStrictBackend);
engineSuite(wasmRelaxedBackend);
for (const backend of [jsBackend, wasmStrictBackend, wasmRelaxedBackend]) dropoutSuite(backend);

test("scratch of attention is as much as the kernels lay out", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const kernels = instantiateTensorModule(compileTensorModule("wasm-strict"), memory);
  for (const [T, headDim] of [
    [1, 1],
    [7, 10],
    [64, 32],
    [1024, 64],
  ] as const) {
    expect(attentionScratch(T, headDim)).toBe(kernels.attentionScratch(T, headDim));
  }
});

// A row alone is not packed into panels; steps beyond one block begin their sums anew.
test.each([
  [29, 6],
  [401, 9],
  [800, 530],
])("a row of %i numbers by %i rows has the same bits alone as among others", async (inner, columns) => {
  for (const backend of [wasmStrictBackend, wasmRelaxedBackend, wasmBackend("wasm-strict", 256)]) {
    const product = async (rows: number) => {
      const b = new ProgramBuilder();
      const [x, residual] = [b.parameter("x", [rows, inner]), b.parameter("residual", [rows, columns])];
      const more = { transposed: true, bias: b.parameter("bias", [columns]), residual };
      const program = b.build(b.matmul(x, b.parameter("w", [columns, inner]), more), { withGradients: false });
      const engine = await backend.load(program);
      for (const { name, tensor } of program.parameters) {
        engine.set(name, normalNumbers(sizeOf(tensor.shape), 0.3, 1, name));
      }
      await engine.forward();
      return (await engine.read(program.output)).subarray(0, columns);
    };
    expect(await product(1)).toEqual(await product(7));
  }
});

test("an arena beyond 32-bit addresses is refused", async () => {
  const b = new ProgramBuilder();
  const weights = Array.from({ length: 9 }, (_, i) => b.parameter(`w${i}`, [1, 2 ** 28], { isTrained: false }));
  const program = b.build(weights[0] ?? b.parameter("w", [1]), { withGradients: false });
  await expect(wasmStrictBackend.load(program)).rejects.toMatchObject({ code: "too-large" });
});

// The hash changes with the order of any addition in the kernels, and with nothing else.
test("parameters after 20 steps of the strict backend are these bits, on every machine", async () => {
  const tensorCase = transformerCase();
  const engine = await loadCase(wasmStrictBackend, tensorCase);
  const parameters = tensorCase.program.parameters.map(({ name }) => name);
  const group = { learningRate: 1e-2, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 };
  for (let step = 1; step <= 20; step++) {
    await engine.backward();
    await engine.step({ step, clipNorm: 1, groups: [{ kind: "adamw", parameters, ...group }] });
  }
  const hash = createHash("sha256");
  for (const name of parameters) hash.update(await engine.get(name));
  expect(hash.digest("hex").slice(0, 16)).toBe("eefca76a3f477527");
});
