import { bundleStep, cleanupStep } from "./bundle-steps.ts";
import { adapterStep, backboneStep, jointStep } from "./distil-steps.ts";
import { CONFIG_FILE, TEACHERS_FOLDER } from "./distillation-config.ts";
import { DistillationError } from "./distillation-error.ts";
import { EVIDENCE_FOLDER } from "./evidence.ts";
import { llamaOf } from "./llama.ts";
import { askingMB, EMPTY_MB, trainingMB } from "./memory-estimate.ts";
import { lockStep, teacherStep } from "./prepare-steps.ts";
import { profileStep, sourceStep, studentStep } from "./profile-steps.ts";
import { measureStep, registryStep } from "./registry-steps.ts";
import { removalStep } from "./removal-step.ts";
import { PARTIAL_FOLDER } from "./run-place.ts";
import type { RunPlan } from "./run-plan.ts";
import { inStageOrder } from "./run-steps.ts";
import { STAGES, type StageName } from "./stages.ts";
import type { Step } from "./step.ts";

/**
 * Every step of a run, in order.
 *
 * @throws {DistillationError} `bad-config` where data lies in the way of what steps make
 */
export function stepsOf(plan: RunPlan): Step[] {
  const { teachers } = plan;
  const steps = inStageOrder([
    ...teachers.map((teacher) => teacherStep(plan, teacher)),
    lockStep(plan),
    ...teachers.map((teacher) => measureStep(plan, teacher)),
    registryStep(plan),
    ...teachers.map((teacher) => profileStep(plan, teacher)),
    studentStep(plan),
    sourceStep(plan),
    backboneStep(plan),
    ...teachers.map((teacher) => adapterStep(plan, teacher)),
    jointStep(plan),
    removalStep(plan),
    bundleStep(plan),
    cleanupStep(plan),
  ]);
  for (const { category, benchmark } of teachers) {
    if (benchmark !== undefined) refuseInTheWay(`taxonomy.${category}.benchmark`, benchmark, steps);
  }
  return steps;
}

/** Folders of a run beside its steps' outputs. */
const OWN_FOLDERS = [TEACHERS_FOLDER, EVIDENCE_FOLDER, PARTIAL_FOLDER];

/** What steps replace and take away is the run's own, all of it. */
function refuseInTheWay(field: string, path: string, steps: readonly Step[]): void {
  const isWithin = (below: string, above: string) => `${below}/`.toLowerCase().startsWith(`${above}/`.toLowerCase());
  const own = [...OWN_FOLDERS, ...steps.map(({ output }) => output)];
  const other = own.find((place) => isWithin(path, place) || isWithin(place, path));
  if (other === undefined) return;
  const problem = `${CONFIG_FILE}: ${field}: ${path} and ${other}, which is the run's own, cannot both be there`;
  throw new DistillationError("bad-config", problem, "put the data into a folder of its own, such as data/");
}

/** MiB that each stage takes about, as far as sizes of models and batches say. */
export function memoryPlan({ teacher, student, distil, teachers }: RunPlan): Map<StageName, number> {
  const made = trainingMB(llamaOf(teacher.size), teacher.tokens);
  const { backbone, adapters, joint } = distil;
  // A teacher answers, one after the other, beside the student that learns from it.
  const all = (tokens: number) => trainingMB(llamaOf(student.size), tokens * teachers.length);
  const learning = Math.max(
    all(backbone.tokens),
    trainingMB(llamaOf(student.size), adapters.tokens),
    all(joint?.tokens ?? 1),
  );
  const given = teachers.filter(({ from }) => from !== undefined).map(({ parameters }) => askingMB(parameters));
  const asking = Math.max(trainingMB(llamaOf(teacher.size), 1), ...given);
  return new Map(
    STAGES.map(({ name }): [StageName, number] => [
      name,
      name === "prepare" ? made : name === "distillation" ? learning + asking : name === "lock" ? EMPTY_MB : asking,
    ]),
  );
}
