import { bundleStep, cleanupStep } from "./bundle-steps.ts";
import { adapterStep, backboneStep, jointStep } from "./distil-steps.ts";
import { llamaOf } from "./llama.ts";
import { EMPTY_MB, trainingMB } from "./memory-estimate.ts";
import { lockStep, teacherStep } from "./prepare-steps.ts";
import { profileStep, sourceStep, studentStep } from "./profile-steps.ts";
import { measureStep, registryStep } from "./registry-steps.ts";
import { removalStep } from "./removal-step.ts";
import type { RunPlan } from "./run-plan.ts";
import { inStageOrder } from "./run-steps.ts";
import { STAGES, type StageName } from "./stages.ts";
import type { Step } from "./step.ts";

/** Every step of a run, in order. */
export function stepsOf(plan: RunPlan): Step[] {
  const { teachers } = plan;
  return inStageOrder([
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
  const asking = trainingMB(llamaOf(teacher.size), 1);
  return new Map(
    STAGES.map(({ name }): [StageName, number] => [
      name,
      name === "prepare" ? made : name === "distillation" ? learning + asking : name === "lock" ? EMPTY_MB : asking,
    ]),
  );
}
