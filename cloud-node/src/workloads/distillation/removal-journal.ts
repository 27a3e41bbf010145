import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { syncFolder } from "../../owner-file.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { readChecked, sha256Schema, writeJson } from "./evidence.ts";
import { digestTree } from "./tree-digest.ts";

/** Beside the evidence: what was taken away, and what it was. */
export const REMOVAL_FILE = "removed.json";

const journalSchema = v.strictObject({
  format: v.literal("lockstep-distillation-removals"),
  version: v.literal(1),
  removed: v.array(v.strictObject({ path: v.string(), sha256: sha256Schema, by: v.string() })),
});

/** One file or folder that was taken away, or is about to be. */
export type Removal = v.InferOutput<typeof journalSchema>["removed"][number];

/** All that a run has taken away. @throws {DistillationError} `bad-evidence` */
export async function readRemovals(folder: string): Promise<Removal[]> {
  const path = join(folder, REMOVAL_FILE);
  if ((await statIfThere(path)) === undefined) return [];
  return (await readChecked(path, journalSchema, "bad-evidence")).removed;
}

/**
 * Take files and folders away for good. What they were is written down first: a removal that was cut short is gone on with, and
 * never taken for a loss.
 *
 * @param by  name of the step that they are taken away for
 */
export async function removeForGood(folder: string, paths: readonly string[], by: string): Promise<void> {
  const journal = await readRemovals(folder);
  for (const path of paths) {
    if (journal.some((known) => known.path === path)) continue;
    if ((await statIfThere(join(folder, path))) === undefined) continue;
    journal.push({ path, sha256: (await digestTree(join(folder, path))).sha256, by });
  }
  await writeJson(join(folder, REMOVAL_FILE), {
    ...{ format: "lockstep-distillation-removals", version: 1, removed: journal },
  });
  await finishRemovals(folder);
}

/** Go on with a removal that was cut short. */
export async function finishRemovals(folder: string): Promise<void> {
  const left = await readRemovals(folder);
  for (const { path } of left) await rm(join(folder, path), { recursive: true, force: true });
  if (left.length > 0) await syncFolder(folder);
}
