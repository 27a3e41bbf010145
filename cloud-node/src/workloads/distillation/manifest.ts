import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { CATEGORIES } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { fileSchema, readChecked } from "./evidence.ts";
import { capabilityReportSchema } from "./removal-step.ts";
import { digestTree } from "./tree-digest.ts";

export const MANIFEST_FILE = "manifest.json";
export const REPORT_FILE = "verify_report.json";
/** Beside the manifest, over its bytes: who stands for the bundle. */
export const SIGNATURE_FILE = "manifest.json.sig";

/** How much of a capability a bundle has kept, best first. */
export const TIERS = ["whole", "kept", "lost"] as const;
/** A capability is whole from here on. */
const WHOLE = 0.99;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** `manifest.json`: what a bundle has, and what that is worth. */
export const manifestSchema = v.strictObject({
  format: v.literal("lockstep-student-bundle"),
  version: v.literal(1),
  parameters: v.strictObject({ student: count, teachers: count }),
  capabilities: v.array(v.strictObject({ category: v.picklist(CATEGORIES), tier: v.picklist(TIERS) })),
  /** The float32 student's folder that it was made from. */
  float32Bytes: count,
  /** All files but the manifest and its signature, in order of their paths. */
  files: v.array(fileSchema),
  bytes: count,
  budgetBytes: count,
});
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
export type BundleReport = v.InferOutput<typeof reportSchema>;

export function tierOf(retention: number, least: number): (typeof TIERS)[number] {
  if (retention >= WHOLE) return "whole";
  return retention >= least ? "kept" : "lost";
}

/**
 * A bundle's manifest, once every file is what it says: none more, none less, none changed.
 *
 * @throws {DistillationError} `bad-bundle`, with the file
 */
export async function checkManifest(bundle: string): Promise<{ manifest: Manifest; report: BundleReport }> {
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
  return { manifest, report: await readChecked(join(bundle, REPORT_FILE), reportSchema, "bad-bundle") };
}

/** What a signature is over. */
export async function manifestBytes(bundle: string): Promise<Uint8Array> {
  return await readFile(join(bundle, MANIFEST_FILE));
}

export function overBudget(bytes: number, budgetBytes: number): DistillationError {
  const problem = `the bundle has ${bytes} bytes, and may have ${budgetBytes}`;
  return new DistillationError("over-budget", problem, "make the student smaller, or raise limits.bundleKB");
}

function bad(bundle: string, problem: string): DistillationError {
  return new DistillationError("bad-bundle", `${bundle}: ${problem}`, "take another copy of the bundle");
}
