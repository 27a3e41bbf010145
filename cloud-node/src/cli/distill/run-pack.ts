import { cp, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BUNDLE_FOLDER } from "../../workloads/distillation/bundle-steps.ts";
import { checkBundle } from "../../workloads/distillation/check-bundle.ts";
import { syncTree } from "../../workloads/distillation/tree-digest.ts";
import { statIfThere } from "../../workloads/language-model/stat-if-there.ts";
import { partialPath } from "../../workloads/partial-path.ts";
import { CommandError } from "../command-error.ts";
import type { PackDistillOptions } from "../distill.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { signBundle } from "./bundle-signature.ts";
import { checkOfRun } from "./run-bundle.ts";

/** `lockstep distill pack`. */
export async function runPack(
  surroundings: Surroundings,
  folder: string,
  { out, sign, json }: PackDistillOptions,
): Promise<void> {
  if ((await statIfThere(out)) !== undefined) {
    throw new CommandError("refused", `${out} is there already`, "name another folder");
  }
  const partial = partialPath(out);
  await mkdir(dirname(out), { recursive: true });
  try {
    await cp(join(folder, BUNDLE_FOLDER), partial, { recursive: true });
    await checkOfRun(folder, partial);
    const { manifest } = await checkBundle(partial);
    const key = sign === undefined ? null : await signBundle(partial, sign);
    await syncTree(partial);
    await rename(partial, out);
    const signed = key === null ? "not signed" : `signed by key ${key}`;
    await writeResult(surroundings, json, { bundle: out, key, manifest }, `${out}: ${manifest.bytes} bytes, ${signed}`);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
