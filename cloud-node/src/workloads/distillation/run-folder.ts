import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { parameterCount } from "../language-model/parameters.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { capabilityOf } from "./capabilities.ts";
import type { Category } from "./capability.ts";
import { CONFIG_FILE, parseConfig } from "./distillation-config.ts";
import { DistillationError } from "./distillation-error.ts";
import { llamaOf } from "./llama.ts";
import { teacherSchema } from "./options.ts";
import { PRESETS } from "./presets.ts";
import { parseRegistry, REGISTRY_FILE } from "./registry-csv.ts";
import { planRun, type RunPlan } from "./run-plan.ts";

/** What the teachers that the project makes itself are called. */
const TEACHER_NAMES: Readonly<Record<Category, string>> = {
  ...{ arithmetic: "abacus", code: "braces", formats: "calendar" },
  ...{ language: "lexicon", facts: "almanac", signal: "stethoscope" },
};

/**
 * What a run's folder says is to be done.
 *
 * @throws {DistillationError} `bad-config`, `bad-registry`
 */
export async function readRunFolder(folder: string): Promise<RunPlan> {
  const [config, registry] = [join(folder, CONFIG_FILE), join(folder, REGISTRY_FILE)];
  const settled = parseConfig(await textOf(config, "bad-config"), config);
  return planRun(settled, parseRegistry(await textOf(registry, "bad-registry"), registry));
}

/** Begin a folder: a configuration and a registry of teachers that will be made, where there are none yet. */
export async function beginRunFolder(folder: string, preset: keyof typeof PRESETS, seed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = [
    "# What a run of `lockstep distill run` does; stage 0 locks it. The guide has all options.",
    `preset: ${preset}`,
    `seed: ${seed}`,
    "",
  ];
  if ((await statIfThere(join(folder, CONFIG_FILE))) === undefined) {
    await replaceFile(join(folder, CONFIG_FILE), [text.join("\n")]);
  }
  if ((await statIfThere(join(folder, REGISTRY_FILE))) !== undefined) return;
  const { categories, teacher } = PRESETS[preset];
  const parameters = parameterCount(llamaOf(v.parse(teacherSchema, teacher).size));
  const rows = categories.map((category) => {
    // A comma would be another column.
    const feature = capabilityOf(category).title.replaceAll(",", ";");
    return `${TEACHER_NAMES[category]},${parameters},${category},${feature}`;
  });
  const header = REGISTRY_FILE.replace(/\.csv$/, "").replaceAll("-", ",");
  await replaceFile(join(folder, REGISTRY_FILE), [`${[header, ...rows].join("\n")}\n`]);
}

async function textOf(path: string, code: "bad-config" | "bad-registry"): Promise<string> {
  if (!(await statIfThere(path))?.isFile()) {
    const remedy = "write one, or let `lockstep distill run` begin the folder";
    throw new DistillationError(code, `${path} is not there`, remedy);
  }
  return await readFile(path, "utf8");
}
