import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as v from "valibot";
import { buildStudent } from "./build-student.ts";
import type { Category } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked, writeJson } from "./evidence.ts";
import { llamaOf } from "./llama.ts";
import { profileTeacher } from "./profile-teacher.ts";
import { asJson, type PlannedTeacher, type RunPlan } from "./run-plan.ts";
import type { Step, StepFolders } from "./step.ts";
import { STUDENT_FILE, studentPlanSchema } from "./student.ts";
import { DUMMY_SOURCE, studentSource } from "./student-source.ts";

/** What the dummy forward pass said, beside the source. */
const DUMMY_RESULT = "dummy-forward.json";
/** Where the student is before it has learned anything. */
export const BUILT_STUDENT = "student-built";
/** The student as TypeScript. */
export const SOURCE_FOLDER = "source";

/** Below the run's folder. */
export function profileFolder(category: string): string {
  return `profiles/${category}`;
}

/** Stage 2: where a teacher knows what it knows. */
export function profileStep({ profile: options, config: { seed } }: RunPlan, teacher: PlannedTeacher): Step {
  const { category, folder } = teacher;
  return {
    ...{ stage: "profiling", name: `profile-${category}`, output: profileFolder(category) },
    inputs: [folder, "registry"],
    options: asJson({ category, seed, ...options }),
    run: async (folders, hooks) => {
      const request = { category, teacher: folders.in(folder), options, seed };
      return asJson(await profileTeacher(folders.out, request, hooks));
    },
  };
}

/** Stage 3: a student that knows nothing yet. */
export function studentStep({ teachers, student: options, config: { seed } }: RunPlan): Step {
  return {
    ...{ stage: "synthesis", name: "student", output: BUILT_STUDENT },
    inputs: teachers.map(({ category }) => profileFolder(category)),
    options: asJson({ seed, ...options }),
    run: async (folders, hooks) =>
      asJson(await buildStudent(folders.out, { profiles: profilesOf(teachers, folders), options, seed }, hooks)),
  };
}

/** Where profiles are for a step that declared them. */
export function profilesOf(teachers: readonly PlannedTeacher[], folders: StepFolders): Map<Category, string> {
  return new Map(teachers.map(({ category }) => [category, folders.in(profileFolder(category))]));
}

/** Stage 3: the same as TypeScript, run once on numbers made up. */
export function sourceStep({ student: { size } }: RunPlan): Step {
  return {
    ...{ stage: "synthesis", name: "source", output: SOURCE_FOLDER, inputs: [BUILT_STUDENT] },
    options: asJson({ size }),
    run: async (folders, hooks) => {
      const plan = await readChecked(join(folders.in(BUILT_STUDENT), STUDENT_FILE), studentPlanSchema, "bad-student");
      const shapes = plan.adapters.map(({ category, rank, alpha, targets }) => {
        return { category, rank, scale: alpha / rank, targets };
      });
      const files = studentSource(llamaOf(size), shapes);
      for (const [name, text] of files) await writeFile(join(folders.out, name), text);
      const sums = await dummySums(join(folders.out, DUMMY_SOURCE), hooks.signal);
      await writeJson(join(folders.out, DUMMY_RESULT), sums);
      return { files: [...files.keys()], adapters: shapes.length, dummyForward: sums };
    },
  };
}

/** @throws {DistillationError} `bad-student` where the source does not run */
async function dummySums(program: string, signal: AbortSignal): Promise<Record<string, number>> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", program], { signal, env: {} });
    return v.parse(v.record(v.string(), v.number()), JSON.parse(stdout));
  } catch (cause) {
    signal.throwIfAborted();
    const problem = `the student's source does not run: ${String(cause).split("\n")[0]}`;
    throw new DistillationError("bad-student", problem, "mend what generates it", { cause });
  }
}
