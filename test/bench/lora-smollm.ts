import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import type { SmolLmRun } from "./lora-smollm-run.ts";
import { writeSmolLm } from "./smollm-folder.ts";

const PROGRAM = fileURLToPath(new URL("lora-smollm-run.ts", import.meta.url));
const LAYERS = 30;
/** Backend, bits of its vectors, threads. */
const HOWS = [
  ["wasm-strict", 128, 1],
  ["wasm-strict", 128, 2],
  ["wasm-relaxed", 256, 2],
] as const;
const STEPS = 3;
const GIGABYTE = 1e9;
const MUST_GIGABYTES = 4;
const AIM_STEP_SECONDS = 3;

/** SmolLM-135M's layout at full size with random weights: load, teach, generate. */
export const smolLmPart: BenchPart = { name: "smollm", run: benchSmolLm };

async function benchSmolLm({ isQuick, folder, say }: PartPlace): Promise<PartFindings> {
  const path = join(folder, "smollm");
  writeSmolLm(path, isQuick ? 1 : LAYERS);
  say("a folder in SmolLM-135M's layout is written");
  const runs: { backend: string; threads: number; run: SmolLmRun }[] = [];
  for (const [backend, bits, threads] of HOWS) {
    const args = [PROGRAM, path, threads, isQuick ? 1 : STEPS, backend, bits].map(String);
    const { stdout } = await promisify(execFile)(process.execPath, args);
    runs.push({ backend: `${backend}, ${bits}-bit vectors`, threads, run: JSON.parse(stdout) as SmolLmRun });
  }
  const [{ run: one }] = runs as [(typeof runs)[number]];
  const peak = Math.max(...runs.map(({ run }) => run.peakBytes)) / GIGABYTE;
  const fastest = Math.min(...runs.flatMap(({ run }) => run.stepCpuSeconds));
  return {
    tables: [
      {
        title: `SmolLM-135M's layout, random weights in bfloat16: ${one.parameters} parameters, LoRA of rank 8 on all seven maps (${one.trainable}), ${one.tokens} tokens a step, ${one.answerTokens} of them answers`,
        columns: ["backend", "threads", "load, s", "step, s", "step, CPU s", "20 tokens, s", "peak, GB", "loss"],
        rows: runs.map(({ backend, threads, run }) => [
          backend,
          threads,
          run.loadSeconds.toFixed(1),
          Math.min(...run.stepSeconds).toFixed(2),
          Math.min(...run.stepCpuSeconds).toFixed(2),
          run.generateSeconds.toFixed(2),
          (run.peakBytes / GIGABYTE).toFixed(2),
          run.losses.map((loss) => loss.toFixed(2)).join(", "),
        ]),
      },
    ],
    goals: [
      {
        what: "SmolLM-135M's layout: load, LoRA steps and 20 tokens, most of the process that was resident",
        ...{ measured: peak, unit: "GB", must: { atMost: MUST_GIGABYTES } },
      },
      {
        what: "SmolLM-135M's layout: fastest step of LoRA, of the processor, all threads together",
        ...{ measured: fastest, unit: "s", aimedAt: { below: AIM_STEP_SECONDS } },
      },
    ],
    notes: [
      "SmolLM: its names, shapes and types (`test/bench/smollm-folder.ts`), not its weights, which cannot be had here; each row a process of its own (`test/bench/lora-smollm-run.ts`). Loading ends where the first step begins; 20 tokens come after a prompt of about 30, which is read a token at a time and is part of their seconds.",
    ],
    json: { smollm: runs },
  };
}
