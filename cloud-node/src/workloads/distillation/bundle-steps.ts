import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../jobs/job.ts";
import { adapterFolder, BACKBONE_STUDENT, TAUGHT_STUDENT } from "./distil-steps.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked, writeJson } from "./evidence.ts";
import {
  type BundleReport,
  BYTES_OF_FLOAT32,
  MANIFEST_FILE,
  type Manifest,
  overBudget,
  REPORT_FILE,
  tierOf,
} from "./manifest.ts";
import { PROFILE_FILE } from "./profile-file.ts";
import { BUILT_STUDENT, profileFolder } from "./profile-steps.ts";
import { measuredFolder } from "./registry-steps.ts";
import {
  askStudent,
  GATE_FILE,
  GATED_FOLDER,
  GATED_STUDENT,
  gateSchema,
  judge,
  teacherPlaces,
} from "./removal-step.ts";
import { asJson, type RunPlan } from "./run-plan.ts";
import type { Step } from "./step.ts";
import { STUDENT_FILE, studentPlanSchema } from "./student.ts";
import { writeBundledStudent } from "./student-bundle.ts";
import { digestTree } from "./tree-digest.ts";

export const BUNDLE_FOLDER = "bundle";
/** What is left of a run beside its bundle and its evidence. */
export const ARCHIVE_FOLDER = "archive";
const BYTES_OF_KB = 1024;

/** Stage 6: the student in one byte a number, measured again from these very bytes. */
export function bundleStep({ teachers, config }: RunPlan): Step {
  const { retention: least, bundleKB } = config.limits;
  const budgetBytes = bundleKB * BYTES_OF_KB;
  return {
    ...{ stage: "bundle", name: "bundle", output: BUNDLE_FOLDER },
    inputs: [GATED_FOLDER, ...teachers.map(({ category }) => measuredFolder(category))],
    options: asJson({ least, budgetBytes, seed: config.seed }),
    run: async (folders, hooks) => {
      const { out } = folders;
      const student = join(folders.in(GATED_FOLDER), GATED_STUDENT);
      const gate = await readChecked(join(folders.in(GATED_FOLDER), GATE_FILE), gateSchema, "bad-evidence");
      await writeBundledStudent(out, student);
      const measured = new Map(teachers.map(({ category }) => [category, folders.in(measuredFolder(category))]));
      const former = await teacherPlaces(folders.root, teachers);
      const answer = await askStudent(out, measured, former, hooks);
      const capabilities = [];
      for (const [category, folder] of measured) capabilities.push(await judge(answer, category, folder, config));
      const lost = capabilities.find(({ isKept }) => !isKept);
      if (lost !== undefined) {
        const problem = `the bundle has lost ${lost.category}: ${lost.student} right answers of the teacher's ${lost.teacher}`;
        throw new DistillationError("gate-failed", problem, "give the student more parameters, in a new run");
      }
      const before = new Map(gate.capabilities.map(({ category, retention }) => [category, retention]));
      const loss = capabilities.map(({ category, retention }) => [category, (before.get(category) ?? 0) - retention]);
      const report: BundleReport = {
        ...{ format: "lockstep-student-report", version: 1, capabilities },
        quantizationLoss: Object.fromEntries(loss) as Record<string, number>,
        isolation: { files: "denied" },
      };
      await writeJson(join(out, REPORT_FILE), report);
      const plan = await readChecked(join(out, STUDENT_FILE), studentPlanSchema, "bad-bundle");
      const { files, bytes } = await digestTree(out);
      if (bytes > budgetBytes) throw overBudget(bytes, budgetBytes);
      const manifest: Manifest = {
        ...{ format: "lockstep-student-bundle", version: 1 },
        parameters: { student: plan.parameters.total, teachers: plan.parameters.teachers },
        capabilities: capabilities.map(({ category, retention }) => ({ category, tier: tierOf(retention) })),
        least,
        float32Bytes: (await digestTree(student)).bytes,
        float32NumberBytes: plan.parameters.total * BYTES_OF_FLOAT32,
        ...{ files: [...files], bytes, budgetBytes },
      };
      await writeJson(join(out, MANIFEST_FILE), manifest);
      return bundleFacts(manifest, report);
    },
  };
}

/** What evidence has of a bundle. */
export function bundleFacts(
  { files: _, ...manifest }: Manifest,
  { capabilities, quantizationLoss }: BundleReport,
): JsonObject {
  return asJson({ ...manifest, measured: capabilities, quantizationLoss });
}

/** Below the archive. */
export function archivedProfile(category: string): string {
  return `profiles/${category}.json`;
}

/** Stage 7: summaries are kept; what only training needed goes. */
export function cleanupStep({ teachers }: RunPlan): Step {
  const profiles = teachers.map(({ category }) => profileFolder(category));
  const adapters = teachers.map(({ category }) => adapterFolder(category));
  const training = [BUILT_STUDENT, BACKBONE_STUDENT, TAUGHT_STUDENT, GATED_FOLDER, ...profiles, ...adapters];
  return {
    ...{ stage: "cleanup", name: "archive", output: ARCHIVE_FOLDER, options: {} },
    inputs: [BUNDLE_FOLDER, GATED_FOLDER, ...profiles],
    removes: { when: "after", paths: training, isAsked: false },
    run: async (folders) => {
      await mkdir(join(folders.out, "profiles"));
      for (const { category } of teachers) {
        const to = join(folders.out, archivedProfile(category));
        await cp(join(folders.in(profileFolder(category)), PROFILE_FILE), to);
      }
      await cp(join(folders.in(GATED_FOLDER), GATE_FILE), join(folders.out, GATE_FILE));
      return { profiles: teachers.length };
    },
  };
}
