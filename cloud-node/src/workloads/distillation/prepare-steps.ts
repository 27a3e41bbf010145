import { copyFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parameterCount } from "../language-model/parameters.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { writeJson } from "./evidence.ts";
import { makeTeacher } from "./make-teacher.ts";
import { checkCount } from "./registry-csv.ts";
import { asJson, lockedPaths, type PlannedTeacher, type RunPlan } from "./run-plan.ts";
import type { Step } from "./step.ts";
import { loadTeacher } from "./teacher.ts";
import { digestTree } from "./tree-digest.ts";

/** Of a folder as Hugging Face's transformers keeps a model. */
const MODEL_FILE =
  /^(?:(?:generation_|tokenizer_)?config\.json|tokenizer\.json|chat_template\.jinja|.*\.safetensors(?:\.index\.json)?)$/;

/** Stage -1: a teacher is made, or copied from where it is. */
export function teacherStep({ teacher: options, config: { seed } }: RunPlan, teacher: PlannedTeacher): Step {
  const { category, folder, from } = teacher;
  if (from !== undefined) return copyStep(teacher, from);
  return {
    ...{ stage: "prepare", name: `teacher-${category}`, inputs: [], output: folder },
    options: asJson({ category, seed, ...options }),
    run: async ({ out }, hooks) => asJson(await makeTeacher(out, { category, options, seed }, hooks)),
  };
}

/** The original stays as it is; everything else is done with the copy. */
function copyStep(teacher: PlannedTeacher, from: string): Step {
  const { category, folder } = teacher;
  return {
    ...{ stage: "prepare", name: `teacher-${category}`, inputs: [], output: folder, isHere: true },
    options: asJson({ category, from }),
    run: async ({ root, out }) => {
      await copyModelFiles(resolve(root, from), out);
      const { config } = await loadTeacher(out, "float32");
      checkCount(teacher, parameterCount(config));
      return { parameters: parameterCount(config) };
    },
  };
}

/** What a model is read from; links, as a hub's folder has them, are followed. @throws {DistillationError} `teacher-missing` */
async function copyModelFiles(from: string, to: string): Promise<void> {
  if (!(await statIfThere(from))?.isDirectory()) {
    throw new DistillationError("teacher-missing", `${from} is no folder`, "give the folder of a teacher");
  }
  for (const name of (await readdir(from)).filter((each) => MODEL_FILE.test(each))) {
    await copyFile(join(from, name), join(to, name));
  }
}

/** Stage 0: what may not change from here on, by its SHA-256. */
export function lockStep(plan: RunPlan): Step {
  const inputs = lockedPaths(plan);
  return {
    ...{ stage: "lock", name: "lock", inputs, output: "lock", isLock: true },
    options: asJson({ seed: plan.config.seed }),
    run: async (folders) => {
      const locked: Record<string, string> = {};
      for (const input of inputs) locked[input] = (await digestTree(folders.in(input))).sha256;
      await writeJson(join(folders.out, "lock.json"), {
        ...{ format: "lockstep-distillation-lock", version: 1, locked, settled: asJson(settledOptions(plan)) },
      });
      return { locked };
    },
  };
}

/** All that was decided, defaults and all. */
function settledOptions({ config, prompts, teacher, profile, student, distil }: RunPlan): object {
  const { seed, precision, limits } = config;
  return { seed, precision, limits, prompts, teacher, profile, student, distil };
}
