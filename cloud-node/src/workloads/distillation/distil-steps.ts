import type { Category } from "./capability.ts";
import { distilAdapter, distilBackbone, distilJointly, type Source } from "./distil.ts";
import { BUILT_STUDENT, profileFolder } from "./profile-steps.ts";
import { asJson, type PlannedTeacher, type RunPlan } from "./run-plan.ts";
import type { Step, StepFolders } from "./step.ts";

/** Where the student is with a backbone that has learned, and adapters that have not. */
export const BACKBONE_STUDENT = "student-backbone";
/** Where it is when it has learned everything. */
export const TAUGHT_STUDENT = "student";

/** Below the run's folder. */
export function adapterFolder(category: string): string {
  return `adapters/${category}`;
}

/** Stage 4: the backbone learns what all teachers say. */
export function backboneStep({ teachers, distil: options, config: { seed } }: RunPlan): Step {
  const { backbone, anchorWeight, softShare, checkEvery, spikes } = options;
  return {
    ...{ stage: "distillation", name: "backbone", output: BACKBONE_STUDENT },
    inputs: [BUILT_STUDENT, ...teachers.flatMap(sourcePaths)],
    options: asJson({ seed, phase: backbone, anchorWeight, softShare, checkEvery, spikes }),
    run: async (folders, hooks) => {
      const request = { student: folders.in(BUILT_STUDENT), options, seed, sources: sourcesOf(teachers, folders) };
      return asJson(await distilBackbone(folders.out, request, hooks));
    },
  };
}

/** Stage 4: one adapter learns beside the frozen backbone. */
export function adapterStep({ distil: options, config: { seed } }: RunPlan, teacher: PlannedTeacher): Step {
  const { category } = teacher;
  const { adapters, anchorWeight, softShare, checkEvery, spikes } = options;
  return {
    ...{ stage: "distillation", name: `adapter-${category}`, output: adapterFolder(category) },
    inputs: [BACKBONE_STUDENT, ...sourcePaths(teacher)],
    options: asJson({ category, seed, phase: adapters, anchorWeight, softShare, checkEvery, spikes }),
    run: async (folders, hooks) => {
      const source = sourcesOf([teacher], folders).get(category);
      const request = { category, student: folders.in(BACKBONE_STUDENT), options, seed, source };
      return asJson(await distilAdapter(folders.out, request, hooks));
    },
  };
}

/** Stage 4: adapters and backbone come together, and learn together where that is asked for. */
export function jointStep({ teachers, distil: options, config: { seed } }: RunPlan): Step {
  const { joint, anchorWeight, softShare, checkEvery, spikes } = options;
  const made = teachers.map(({ category }) => adapterFolder(category));
  return {
    ...{ stage: "distillation", name: "joint", output: TAUGHT_STUDENT },
    inputs: [BACKBONE_STUDENT, ...made, ...(joint === undefined ? [] : teachers.flatMap(sourcePaths))],
    options: asJson({ seed, phase: joint ?? null, anchorWeight, softShare, checkEvery, spikes }),
    run: async (folders, hooks) => {
      const adapters = new Map(teachers.map(({ category }) => [category, folders.in(adapterFolder(category))]));
      const sources = joint === undefined ? new Map<Category, Source>() : sourcesOf(teachers, folders);
      const request = { student: folders.in(BACKBONE_STUDENT), options, seed, adapters, sources };
      return asJson((await distilJointly(folders.out, request, hooks)) ?? { steps: 0 });
    },
  };
}

function sourcePaths({ folder, category }: PlannedTeacher): string[] {
  return [folder, profileFolder(category)];
}

function sourcesOf(teachers: readonly PlannedTeacher[], folders: StepFolders): Map<Category, Source> {
  return new Map(
    teachers.map(({ category, folder }) => [
      category,
      { teacher: folders.in(folder), profile: folders.in(profileFolder(category)) },
    ]),
  );
}
