import { join } from "node:path";
import { parameterCount } from "../language-model/parameters.ts";
import { loadModelFolder } from "../lora/model-folder.ts";
import { writeJson } from "./evidence.ts";
import { makeTeacher } from "./make-teacher.ts";
import { checkCount } from "./registry-csv.ts";
import { asJson, lockedPaths, type PlannedTeacher, type RunPlan } from "./run-plan.ts";
import type { Step } from "./step.ts";
import { digestTree } from "./tree-digest.ts";

/** Stage -1: a teacher is made. */
export function teacherStep({ teacher: options, config: { seed } }: RunPlan, teacher: PlannedTeacher): Step {
  const { category, folder } = teacher;
  return {
    ...{ stage: "prepare", name: `teacher-${category}`, inputs: [], output: folder },
    options: asJson({ category, seed, ...options }),
    run: async ({ out }, hooks) => asJson(await makeTeacher(out, { category, options, seed }, hooks)),
  };
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
      for (const teacher of plan.teachers) if (teacher.isGiven) await checkGiven(folders.in(teacher.folder), teacher);
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

/** @throws {DistillationError} `bad-registry` */
async function checkGiven(folder: string, teacher: PlannedTeacher): Promise<void> {
  const loaded = await loadModelFolder(folder);
  await loaded.close();
  checkCount(teacher, parameterCount(loaded.config));
}
