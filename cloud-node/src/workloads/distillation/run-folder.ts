import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parameterCount } from "../language-model/parameters.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { capabilityOf } from "./capabilities.ts";
import type { Category } from "./capability.ts";
import { CONFIG_FILE, parseConfig } from "./distillation-config.ts";
import { DistillationError } from "./distillation-error.ts";
import { llamaOf } from "./llama.ts";
import { PRESETS } from "./presets.ts";
import { parseRegistry, REGISTRY_FILE } from "./registry-csv.ts";
import { planRun, type RunPlan, teacherOptions } from "./run-plan.ts";

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

/** Whether a folder has both files that a run is done by. */
export async function isRunBegun(folder: string): Promise<boolean> {
  for (const name of [CONFIG_FILE, REGISTRY_FILE]) {
    if ((await statIfThere(join(folder, name))) === undefined) return false;
  }
  return true;
}

/**
 * Begin a folder: a configuration, and a registry of teachers that will be made as it says, where there are none yet.
 *
 * @throws {DistillationError} `bad-config`
 */
export async function beginRunFolder(folder: string, preset: keyof typeof PRESETS, seed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [path, registry] = [join(folder, CONFIG_FILE), join(folder, REGISTRY_FILE)];
  const text = [
    "# What a run of `lockstep distill run` does; stage 0 locks it. The guide has all options.",
    `preset: ${preset}`,
    `seed: ${seed}`,
    "",
  ];
  if ((await statIfThere(path)) === undefined) await replaceFile(path, [text.join("\n")]);
  if ((await statIfThere(registry)) !== undefined) return;
  const config = parseConfig(await readFile(path, "utf8"), path);
  const parameters = parameterCount(llamaOf(teacherOptions(config).size));
  const rows = PRESETS[config.preset].categories.map((category) => {
    // A comma would be another column.
    const feature = capabilityOf(category).title.replaceAll(",", ";");
    return `${TEACHER_NAMES[category]},${parameters},${category},${feature}`;
  });
  const header = REGISTRY_FILE.replace(/\.csv$/, "").replaceAll("-", ",");
  await replaceFile(registry, [`${[header, ...rows].join("\n")}\n`]);
}

async function textOf(path: string, code: "bad-config" | "bad-registry"): Promise<string> {
  if (!(await statIfThere(path))?.isFile()) {
    const remedy = "write one, or let `lockstep distill run` begin the folder";
    throw new DistillationError(code, `${path} is not there`, remedy);
  }
  return await readFile(path, "utf8");
}
