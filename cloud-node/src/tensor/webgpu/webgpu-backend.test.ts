import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { dropoutSuite } from "../dropout.suite.ts";
import { distance, engineSuite, loadCase } from "../engine.suite.ts";
import { jsBackend } from "../js/js-backend.ts";
import { ProgramBuilder } from "../program-builder.ts";
import { attentionCase, makeCase, type TensorCase, transformerCase } from "../tensor-cases.suite.ts";
import { TensorError } from "../tensor-error.ts";
import { HAS_SOFTWARE_GPU } from "./software-gpu.suite.ts";
import { webGpuBackend } from "./webgpu-backend.ts";

const SMALL = makeCase("twice", (b) => b.scale(b.parameter("x", [6, 10]), 2));
/** More than one tile in every direction, low tiles and high ones, and attention in more than one slice. */
const LARGE: readonly TensorCase[] = [
  makeCase("a product of low tiles", (b) => b.matmul(b.parameter("x", [130, 70]), b.parameter("w", [70, 129]))),
  makeCase("a product of high tiles", (b) =>
    b.matmul(b.parameter("x", [530, 33]), b.parameter("w", [67, 33]), { transposed: true }),
  ),
  attentionCase("attention in two slices", { B: 2, T: 750, heads: 2, kvHeads: 1, headDim: 2 }),
];

describe.runIf(HAS_SOFTWARE_GPU)("on software OpenGL ES", () => {
  const backend = webGpuBackend({ isSoftware: true });
  engineSuite(backend);
  dropoutSuite(backend);

  test.each(LARGE)("$name: loss and gradients are the oracle's", async (tensorCase) => {
    const [engine, oracle] = [await loadCase(backend, tensorCase), await loadCase(jsBackend, tensorCase)];
    const loss = await oracle.backward();
    expect(Math.abs((await engine.backward()) - loss) / loss).toBeLessThan(2e-6);
    for (const { name, gradient } of tensorCase.program.parameters) {
      if (gradient === undefined) continue;
      const [have, want] = [await engine.get(name, "gradient"), await oracle.get(name, "gradient")];
      expect(distance(have, want), name).toBeLessThan(1e-5);
    }
    engine.close();
  });

  test("a program that does not fit the device is refused, and the next one runs", async () => {
    const b = new ProgramBuilder();
    const large = b.build(b.parameter("w", [2 ** 14, 2 ** 14], { isTrained: false }), { withGradients: false });
    await expect(backend.load(large)).rejects.toMatchObject({
      code: "too-large",
      message: expect.stringMatching(/value takes 1073741824 bytes, and the device binds \d+/),
    });
    const engine = await loadCase(backend, transformerCase());
    expect(await engine.backward()).toBeGreaterThan(0);
  });

  test("a device that is lost is an error that says so, and the next program has another", async () => {
    const pids: number[] = [];
    const own = webGpuBackend({ isSoftware: true, started: (pid) => pids.push(pid) });
    const engine = await loadCase(own, SMALL);
    const loss = await engine.backward();
    process.kill(pids[0] ?? 0, "SIGABRT");
    await expect(engine.backward()).rejects.toMatchObject({ code: "device-lost" });
    await expect(engine.get("x")).rejects.toThrow("go on from the newest checkpoint");
    const next = await loadCase(own, SMALL);
    expect(await next.backward()).toBe(loss);
    expect(pids).toHaveLength(2);
  });
});

test("a program that asked for a device ends, whether there was one or not", () => {
  const backend = JSON.stringify(new URL("./webgpu-backend.ts", import.meta.url));
  const ask = `const { webGpuBackend } = await import(${backend});
    await webGpuBackend({ isSoftware: false }).device().then(() => {}, (error) => console.log(error.code));`;
  const { status, signal, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", ask]);
  expect([status, signal]).toEqual([0, null]);
  expect(["", "no-device\n"]).toContain(String(stdout));
});

test("where there is no graphics processor, that is said, and what to do", async () => {
  const device = await webGpuBackend({ isSoftware: false })
    .device()
    .catch((error: unknown) => error);
  if (!(device instanceof TensorError)) {
    expect(device).not.toBe("");
    return;
  }
  expect(device.code).toBe("no-device");
  expect(device.message).toMatch(/graphics processor|npm package webgpu/);
  expect(device.remedy).toMatch(/install .* or use wasm-strict/);
});
