import { TensorError, wasmStrictBackend, webGpuBackend } from "@lockstep/cloud-node";
import type { PartFindings } from "./bench-part.ts";
import { gemmGflops, stepMs } from "./lm-ours.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";
import type { LmConfig } from "./lm-steps.ts";

const GPT = { T: 1024, B: 1, vocabulary: 50_257 };
const CONFIGS: readonly LmConfig[] = [
  { config: "6 x 6 x 384, T 256, B 4", layers: 6, heads: 6, width: 384, T: 256, B: 4, vocabulary: 65, steps: 20 },
  { config: "12 x 12 x 768, T 1024, B 1", layers: 12, heads: 12, width: 768, ...GPT, steps: 5 },
];
/** On one thread of the processor steps of these take from seconds to a minute. */
const PROCESSOR_STEPS = 1;
const SIZES = [1024, 2048, 4096];

/** A graphics processor beside one thread of the processor, where there is one: by the clock, since neither is the other's time. */
export const webGpuPart: LmPart = { name: "webgpu", run: benchWebGpu };

async function benchWebGpu({ isQuick, say }: LmPlace): Promise<PartFindings> {
  const backend = webGpuBackend({ isSoftware: false });
  const device = await backend.device().catch((error: unknown) => {
    if (error instanceof TensorError && error.code === "no-device") return error;
    throw error;
  });
  if (device instanceof TensorError) {
    const notes = [`webgpu: not measured, since there is no device here: ${device.problem}.`];
    return { tables: [], goals: [], notes, json: { webgpu: null } };
  }
  say(device);
  const steps: StepRow[] = [];
  for (const config of isQuick ? CONFIGS.slice(0, 1) : CONFIGS) {
    const ms = await stepMs(backend, config, byClock);
    const processorMs = await stepMs(wasmStrictBackend, { ...config, steps: PROCESSOR_STEPS }, byClock);
    steps.push({ config: config.config, ms, processorMs });
  }
  const gemm: { readonly n: number; readonly gflops: number }[] = [];
  for (const n of SIZES) gemm.push({ n, gflops: await gemmGflops(backend, n, byClock) });
  return {
    tables: [
      {
        title: `Training steps on ${device}, ms by the clock, fastest`,
        columns: ["layers x heads x width", "webgpu", "wasm-strict, one thread", "wasm-strict / webgpu"],
        rows: steps.map(({ config, ms, processorMs }) => [config, ...[ms, processorMs, processorMs / ms].map(digits)]),
      },
      {
        title: `Products of two matrices (n, n) on ${device}, GFLOP/s by the clock, each with its answer`,
        columns: ["n", "webgpu"],
        rows: gemm.map(({ n, gflops }) => [n, digits(gflops)]),
      },
    ],
    goals: [],
    notes: [
      `webgpu: ${device}; a step is one command buffer, and its time has the way to the process with the device in it.`,
    ],
    json: { webgpu: { device, steps, gemm } },
  };
}

interface StepRow {
  readonly config: string;
  readonly ms: number;
  readonly processorMs: number;
}

function byClock(): number {
  return performance.now();
}

function digits(number: number): string {
  return number.toPrecision(3);
}
