import { join } from "node:path";
import { BUNDLE_FOLDER } from "../../workloads/distillation/bundle-steps.ts";
import { checkManifest } from "../../workloads/distillation/manifest.ts";
import { readRunFolder } from "../../workloads/distillation/run-folder.ts";
import { type Finding, isRunFolder, verifyRun } from "../../workloads/distillation/verify-run.ts";
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
  const findings: Finding[] = isRun
    ? await verifyRun(folder, await readRunFolder(folder), measure, surroundings.interrupt)
    : [await bundleFinding(bundle)];
  if (key !== undefined) {
    const id = await checkBundleSignature(bundle, key);
    findings.push({ claim: `the bundle is signed by key ${id}`, checked: 1 });
  }
  const { manifest, report } = await checkManifest(bundle);
  const lines = [
    ...findings.map(({ claim, checked }) => `holds: ${claim} (${checked})`),
    ...report.capabilities.map(({ category, student, teacher, retention }) => {
      return `${category.padEnd(11)} ${student} right answers of the teacher's ${teacher}: ${retention.toFixed(3)}`;
    }),
    `${manifest.bytes} bytes, ${(manifest.bytes / manifest.float32Bytes).toFixed(3)} of the float32 student's ${manifest.float32Bytes}`,
  ];
  await writeResult(surroundings, json, { folder, findings, manifest, report }, lines.join("\n"));
}

async function bundleFinding(bundle: string): Promise<Finding> {
  const { manifest } = await checkManifest(bundle);
  return { claim: "every file of the bundle is what its manifest says", checked: manifest.files.length };
}
