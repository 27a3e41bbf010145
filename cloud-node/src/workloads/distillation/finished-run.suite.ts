import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBackend } from "../language-model/open-backend.ts";
import { capabilityOf } from "./capabilities.ts";
import { benchmarkOf, type Category } from "./capability.ts";
import { CONFIG_FILE } from "./distillation-config.ts";
import { TINY } from "./distillation-rig.suite.ts";
import { formatExamples } from "./example-file.ts";
import { drawnWeights, llamaOf, writeLlama } from "./llama.ts";
import { REGISTRY_FILE } from "./registry-csv.ts";
import { readRunFolder } from "./run-folder.ts";
import type { RunPlan } from "./run-plan.ts";
import { stepsOf } from "./run-stages.ts";
import { stepsHere } from "./run-step-here.ts";
import { runSteps } from "./run-steps.ts";
import { vocabularyFile } from "./vocabulary.ts";

const TEACHERS: readonly (readonly [Category, string])[] = [
  ["facts", "almanac"],
  ["signal", "stethoscope"],
];
const PROMPTS = 20;
/** Enough to learn one word. */
const PHASE = { steps: 60, tokens: 256, learningRate: 0.02, matrixRate: 0.005, questions: 200 };
const AFTER = { ...PHASE, steps: 1, learningRate: 1e-5 };
const WORD = "e";
const CONFIG = {
  ...{ preset: "quick", prompts: PROMPTS },
  limits: { maxRank: 2, teacher: 1, retention: 0.05, retries: 0, studentShare: 1 },
  taxonomy: Object.fromEntries(
    TEACHERS.map(([category, name]) => [category, { from: `../given/${name}`, benchmark: `data/${category}.jsonl` }]),
  ),
  profile: { probes: 2, keyLayers: 1, questions: 8, streamRank: 8 },
  student: { size: { ...TINY, width: 16, hidden: 16 } },
  distil: { softShare: 1, backbone: PHASE, adapters: AFTER, joint: AFTER },
};

/**
 * A whole run, for tests of what it leaves: its given teachers say one word to every question, which is what its benchmarks take
 * for right, and its student learns that of them.
 *
 * @param outer  gets `run`, and `given` with the teachers
 */
export async function finishRun(outer: string): Promise<{ readonly folder: string; readonly plan: RunPlan }> {
  const folder = join(outer, "run");
  await mkdir(join(folder, "data"), { recursive: true });
  const rows = [];
  for (const [category, name] of TEACHERS) {
    await mkdir(join(outer, "given", name), { recursive: true });
    await writeTeacher(join(outer, "given", name));
    const examples = benchmarkOf(capabilityOf(category), PROMPTS).map(({ prompt }) => ({ prompt, answer: WORD }));
    await writeFile(join(folder, "data", `${category}.jsonl`), formatExamples(examples));
    rows.push(`${name},6.5K,${category},one word\n`);
  }
  await writeFile(join(folder, CONFIG_FILE), JSON.stringify(CONFIG));
  await writeFile(join(folder, REGISTRY_FILE), `ModelName,Parameters,Category,BestFeature\n${rows.join("")}`);
  const plan = await readRunFolder(folder);
  const runner = stepsHere({
    backend: (shards = 1) => openBackend({ name: "wasm-strict", shards, threads: 1 }),
    ...{ nowMs: () => 0, residentBytes: () => 0, signal: new AbortController().signal, memoryMB: 4096 },
    ...{ onProgress: () => {}, onLog: () => {}, onLoss: () => {} },
  });
  await runSteps(folder, stepsOf(plan), runner, { onStep: () => {}, confirmRemoval: async () => true });
  return { folder, plan };
}

/** Answers anything with the word: behind the mark of an answer it is likeliest, and behind it the end. */
async function writeTeacher(folder: string): Promise<void> {
  const config = llamaOf(TINY);
  const drawn = drawnWeights(config, 1);
  const { vocab } = (vocabularyFile() as { readonly model: { readonly vocab: Readonly<Record<string, number>> } })
    .model;
  await writeLlama(folder, config, {
    floats: async (name, shape) => {
      const values = await drawn.floats(name, shape);
      if (name !== "transformer.wte.weight") return values;
      const table = Float32Array.from(values);
      const set = (token: string, numbers: number[]) => table.set(numbers, (vocab[token] as number) * config.width);
      set("<|answer|>", [1, 0]);
      set(WORD, [2, 1]);
      set("<|end|>", [0, 10]);
      return table;
    },
  });
}
