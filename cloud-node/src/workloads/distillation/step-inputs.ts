import { join } from "node:path";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { readRemovals } from "./removal-journal.ts";
import { placeIn } from "./run-place.ts";
import type { Step } from "./step.ts";
import { digestTree } from "./tree-digest.ts";

/**
 * What a path of a run is, or was when it was taken away.
 *
 * @returns its SHA-256; undefined where there is none, and never was
 */
export async function digestNow(folder: string, path: string): Promise<string | undefined> {
  const removal = (await readRemovals(folder)).find((each) => each.path === path);
  if (removal !== undefined) return removal.sha256;
  const place = await placeIn(folder, path);
  return (await statIfThere(place)) === undefined ? undefined : (await digestTree(place)).sha256;
}

/** The inputs of a step, by their paths. @throws {DistillationError} `changed-output` where one is not there */
export async function inputDigests(folder: string, step: Step): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const input of step.inputs) {
    const now = await digestNow(folder, input);
    if (now === undefined) {
      const problem = `${join(folder, input)} is not there, and ${step.name} needs it`;
      throw new DistillationError("changed-output", problem, "put it back, or run in a new folder");
    }
    digests[input] = now;
  }
  return digests;
}
