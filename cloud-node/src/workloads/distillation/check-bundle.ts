import { join } from "node:path";
import { readLlamaConfig } from "../lora/llama-config.ts";
import { readJson } from "../lora/weight-files.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked } from "./evidence.ts";
import {
  type BundleReport,
  BYTES_OF_FLOAT32,
  MANIFEST_FILE,
  type Manifest,
  manifestSchema,
  overBudget,
  REPORT_FILE,
  reportSchema,
  SIGNATURE_FILE,
  tierOf,
} from "./manifest.ts";
import { routerParameters } from "./router.ts";
import { countParameters, ROUTER_FILE, STUDENT_FILE, studentPlanSchema } from "./student.ts";
import { bundledRouterSchema } from "./student-bundle.ts";
import { digestTree } from "./tree-digest.ts";

const CONFIG_FILE = "config.json";

/** What a bundle says of itself, found true. */
export interface CheckedBundle {
  readonly manifest: Manifest;
  readonly report: BundleReport;
}

/**
 * A bundle's manifest, once every file is what it says, none more, none less, none changed, and what manifest, report and
 * weights say of each other is one story.
 *
 * @throws {DistillationError} `bad-bundle`, with the file or the claim; `over-budget`
 */
export async function checkBundle(bundle: string): Promise<CheckedBundle> {
  const manifest = await readChecked(join(bundle, MANIFEST_FILE), manifestSchema, "bad-bundle");
  const { files } = await digestTree(bundle);
  const own = files.filter(({ path }) => path !== MANIFEST_FILE && path !== SIGNATURE_FILE);
  for (const { path, bytes, sha256 } of manifest.files) {
    const found = own.find((file) => file.path === path);
    if (found === undefined) throw bad(bundle, `${path} is not there`);
    if (found.bytes !== bytes) throw bad(bundle, `${path} has ${found.bytes} bytes, and the manifest says ${bytes}`);
    if (found.sha256 !== sha256) throw bad(bundle, `${path} is not what the manifest says: its SHA-256 is another one`);
  }
  const stranger = own.find(({ path }) => !manifest.files.some((file) => file.path === path));
  if (stranger !== undefined) throw bad(bundle, `${stranger.path} is not in the manifest`);
  const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes !== manifest.bytes) throw bad(bundle, `it has ${bytes} bytes, and the manifest says ${manifest.bytes}`);
  if (bytes > manifest.budgetBytes) throw overBudget(bytes, manifest.budgetBytes);
  const report = await readChecked(join(bundle, REPORT_FILE), reportSchema, "bad-bundle");
  checkReport(bundle, manifest, report);
  await checkParameters(bundle, manifest);
  return { manifest, report };
}

/** Numbers that follow from others do, and what had to be kept was. */
function checkReport(bundle: string, manifest: Manifest, report: BundleReport): void {
  const named = (list: readonly { readonly category: string }[]) => list.map(({ category }) => category).join(", ");
  if (named(manifest.capabilities) !== named(report.capabilities)) {
    throw bad(
      bundle,
      `${MANIFEST_FILE} has ${named(manifest.capabilities)}, and ${REPORT_FILE} ${named(report.capabilities)}`,
    );
  }
  if (Object.keys(report.quantizationLoss).join(", ") !== named(report.capabilities)) {
    throw bad(bundle, `${REPORT_FILE} has quantizationLoss of other capabilities than it measured`);
  }
  for (const [
    at,
    { category, prompts, teacher, student, retention, low, high, misrouted, isKept },
  ] of report.capabilities.entries()) {
    const isCounted =
      Math.max(teacher, student, misrouted) <= prompts && retention === student / teacher && low <= high;
    if (!isCounted) throw bad(bundle, `the retention of ${category} in ${REPORT_FILE} does not follow from its counts`);
    if (!isKept || retention < manifest.least)
      throw bad(bundle, `${category} kept ${retention}, and had to keep ${manifest.least}`);
    const tier = tierOf(retention);
    if (manifest.capabilities[at]?.tier !== tier)
      throw bad(bundle, `the tier of ${category} in ${MANIFEST_FILE} is not ${tier}`);
  }
}

/** Parameters are those of the weights that are there. */
async function checkParameters(
  bundle: string,
  { parameters, float32NumberBytes, float32Bytes }: Manifest,
): Promise<void> {
  const plan = await readChecked(join(bundle, STUDENT_FILE), studentPlanSchema, "bad-bundle");
  const named = await readChecked(join(bundle, ROUTER_FILE), bundledRouterSchema, "bad-bundle");
  const path = join(bundle, CONFIG_FILE);
  const { model } = readLlamaConfig(await readJson(bundle, CONFIG_FILE), path);
  const { backbone, adapters } = countParameters(model, plan.adapters);
  const student = backbone + adapters + routerParameters(named);
  if (parameters.student !== student) {
    throw bad(bundle, `it has ${student} parameters, and ${MANIFEST_FILE} says ${parameters.student}`);
  }
  if (parameters.teachers !== plan.parameters.teachers || plan.parameters.total !== student) {
    throw bad(bundle, `${STUDENT_FILE} says other parameters than ${MANIFEST_FILE}`);
  }
  if (float32NumberBytes !== student * BYTES_OF_FLOAT32 || float32Bytes < float32NumberBytes) {
    throw bad(bundle, `${student} parameters are not what ${MANIFEST_FILE} says that they took in float32`);
  }
}

function bad(bundle: string, problem: string): DistillationError {
  return new DistillationError("bad-bundle", `${bundle}: ${problem}`, "take another copy of the bundle");
}
