import { join } from "node:path";
import { BUNDLE_FOLDER } from "../../workloads/distillation/bundle-steps.ts";
import { readEvidence } from "../../workloads/distillation/evidence.ts";
import { unproven } from "../../workloads/distillation/finding.ts";
import { MANIFEST_FILE } from "../../workloads/distillation/manifest.ts";
import { digestTree } from "../../workloads/distillation/tree-digest.ts";
import { isRunFolder } from "../../workloads/distillation/verify-run.ts";
import { statIfThere } from "../../workloads/language-model/stat-if-there.ts";
import { CommandError } from "../command-error.ts";

/**
 * The bundle that a folder is, or that the run in it made.
 *
 * @throws {CommandError} `file` where there is none; {DistillationError} `bad-evidence` where the run made another one
 */
export async function findBundle(folder: string): Promise<string> {
  if (await isRunFolder(folder)) {
    const bundle = join(folder, BUNDLE_FOLDER);
    if ((await statIfThere(bundle)) === undefined) {
      throw new CommandError("file", `${folder} has no bundle yet`, `go on with \`lockstep distill run ${folder}\``);
    }
    await checkOfRun(folder, bundle);
    return bundle;
  }
  if ((await statIfThere(join(folder, MANIFEST_FILE))) === undefined) {
    throw new CommandError("file", `${folder} is neither a run nor a bundle`, "name the folder of one");
  }
  return folder;
}

/** It is what the run made and measured. @throws {DistillationError} `bad-evidence` */
export async function checkOfRun(folder: string, bundle: string): Promise<void> {
  const made = (await readEvidence(folder, "bundle"))?.steps.find(({ output }) => output.path === BUNDLE_FOLDER);
  if (made === undefined) throw unproven(`${folder} has no evidence of a bundle`);
  if ((await digestTree(bundle)).sha256 !== made.output.sha256)
    throw unproven(`${BUNDLE_FOLDER} is not what the run made`);
}
