import { afterAll, describe, expect, test } from "vitest";
import { HAS_SOFTWARE_GPU } from "../../tensor/webgpu/software-gpu.suite.ts";
import { webGpuBackend } from "../../tensor/webgpu/webgpu-backend.ts";
import type { ShardedBackend } from "./open-backend.ts";
import { RunRig, SMALL_RUNS } from "./run-rig.suite.ts";

const rig = new RunRig();
afterAll(() => rig.close());

const RUNS = {
  "AdamW and dropout": SMALL_RUNS.tensor ?? [],
  "Muon and AdamW": ["optimizer.kind=muon", "model.norm=rms-plain", "model.activation=relu2", "model.tied=false"],
};

describe.runIf(HAS_SOFTWARE_GPU)("a run on software OpenGL ES", () => {
  const gpu = webGpuBackend({ isSoftware: true });
  const backend: ShardedBackend = { name: "webgpu", shards: 1, load: (program) => gpu.load(program) };
  const openBackend = async () => backend;

  test.each(Object.entries(RUNS))(
    "with %s goes on bit for bit where it was stopped, and ends where the processor does",
    async (name, settings) => {
      const whole = await rig.train(`${name}, whole`, settings, { openBackend });
      const stopping = new AbortController();
      const stopped = await rig.train(`${name}, stopped`, settings, {
        openBackend,
        signal: stopping.signal,
        onStep: (step) => step === 7 && stopping.abort(),
      });
      expect([whole.backend, stopped.isStopped, stopped.steps]).toEqual(["webgpu", true, 7]);
      await rig.resume(`${name}, stopped`, { openBackend });
      expect(await rig.contents(`${name}, stopped`)).toEqual(await rig.contents(`${name}, whole`));
      const { final } = await rig.train(`${name}, processor`, [...settings, "data.shards=1"]);
      expect(Math.abs((whole.final?.valLoss ?? 0) / (final?.valLoss ?? 1) - 1)).toBeLessThan(1e-4);
    },
  );
});
