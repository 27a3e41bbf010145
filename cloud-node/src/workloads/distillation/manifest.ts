import * as v from "valibot";
import { CATEGORIES } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { fileSchema } from "./evidence.ts";
import { capabilityReportSchema } from "./removal-step.ts";

export const MANIFEST_FILE = "manifest.json";
export const REPORT_FILE = "verify_report.json";
/** Beside the manifest, over its bytes: who stands for the bundle. */
export const SIGNATURE_FILE = "manifest.json.sig";

/** How much of a capability a bundle has kept, best first. */
export const TIERS = ["whole", "kept"] as const;
/** A capability is whole from here on. */
const WHOLE = 0.99;
export const BYTES_OF_FLOAT32 = 4;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** `manifest.json`: what a bundle has, and what that is worth. */
export const manifestSchema = v.strictObject({
  format: v.literal("lockstep-student-bundle"),
  version: v.literal(1),
  parameters: v.strictObject({ student: count, teachers: count }),
  capabilities: v.array(v.strictObject({ category: v.picklist(CATEGORIES), tier: v.picklist(TIERS) })),
  /** Of a teacher's right answers, what each capability had to keep. */
  least: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  /** The float32 student's folder that it was made from, and of that the numbers alone. */
  ...{ float32Bytes: count, float32NumberBytes: count },
  /** All files but the manifest and its signature, in order of their paths. */
  files: v.array(fileSchema),
  bytes: count,
  budgetBytes: count,
});
/** What a bundle says of itself. */
export type Manifest = v.InferOutput<typeof manifestSchema>;

/** `verify_report.json`: capabilities measured from the bundle itself, in a process of its own. */
export const reportSchema = v.strictObject({
  format: v.literal("lockstep-student-report"),
  version: v.literal(1),
  capabilities: v.array(capabilityReportSchema),
  /** Retention of the float32 student less that of the bundle, by category. */
  quantizationLoss: v.record(v.string(), v.pipe(v.number(), v.finite())),
  isolation: v.strictObject({ files: v.literal("denied") }),
});
/** What was measured of a bundle. */
export type BundleReport = v.InferOutput<typeof reportSchema>;

/** How much was kept, by retention. */
export function tierOf(retention: number): (typeof TIERS)[number] {
  return retention >= WHOLE ? "whole" : "kept";
}

/** A student of more bytes than its limit. */
export function overBudget(bytes: number, budgetBytes: number): DistillationError {
  const problem = `the bundle has ${bytes} bytes, and may have ${budgetBytes}`;
  return new DistillationError("over-budget", problem, "make the student smaller, or raise limits.bundleKB");
}
