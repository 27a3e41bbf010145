import { join } from "node:path";
import { BUNDLE_FOLDER } from "../../workloads/distillation/bundle-steps.ts";
import { checkBundle } from "../../workloads/distillation/check-bundle.ts";
import { readRunFolder } from "../../workloads/distillation/run-folder.ts";
import { isRunFolder, type Verified, verifyRun } from "../../workloads/distillation/verify-run.ts";
import type { VerifyDistillOptions } from "../distill.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { checkBundleSignature } from "./bundle-signature.ts";

/** `lockstep distill verify`. */
export async function runVerify(
  surroundings: Surroundings,
  folder: string,
  { key, measure, json }: VerifyDistillOptions,
): Promise<void> {
  const isRun = await isRunFolder(folder);
  const bundle = isRun ? join(folder, BUNDLE_FOLDER) : folder;
  const verified: Verified = isRun
    ? await verifyRun(folder, await readRunFolder(folder), measure, surroundings.interrupt)
    : await verifyBundle(bundle);
  const findings = [...verified.findings];
  if (key !== undefined) {
    const id = await checkBundleSignature(bundle, key);
    findings.push({ claim: `the bundle is signed by key ${id}`, checked: 1 });
  }
  const { manifest, report } = verified.bundle;
  const { bytes, float32Bytes, float32NumberBytes, least } = manifest;
  const share = (of: number) => (bytes / of).toFixed(3);
  const lines = [
    ...findings.map(({ claim, checked }) => `holds: ${claim} (${checked})`),
    ...report.capabilities.map(({ category, student, teacher, retention }) => {
      return `${category.padEnd(11)} ${student} right answers of the teacher's ${teacher}: ${retention.toFixed(3)}, at least ${least}`;
    }),
    `${bytes} bytes: ${share(float32Bytes)} of the float32 student's folder, ${share(float32NumberBytes)} of its numbers alone`,
  ];
  const { network } = verified;
  await writeResult(surroundings, json, { folder, findings, network, manifest, report }, lines.join("\n"));
}

async function verifyBundle(folder: string): Promise<Verified> {
  const bundle = await checkBundle(folder);
  const claim = "every file of the bundle is what its manifest says, and its report and parameters are";
  return { findings: [{ claim, checked: bundle.manifest.files.length }], network: null, bundle };
}
