import { join } from "node:path";
import * as v from "valibot";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked, sha256Schema, writeJson } from "./evidence.ts";
import { discard, pathBelow, placeIn } from "./run-place.ts";
import { digestTree } from "./tree-digest.ts";

/** Beside the evidence: what was taken away, and what it was. */
export const REMOVAL_FILE = "removed.json";

const journalSchema = v.strictObject({
  format: v.literal("lockstep-distillation-removals"),
  version: v.literal(1),
  removed: v.array(
    v.strictObject({
      ...{ path: pathBelow("the run's folder"), sha256: sha256Schema, by: v.string() },
      /** `begun`: somebody said yes, and it may be there still. */
      state: v.picklist(["begun", "done"]),
    }),
  ),
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
 * Take files and folders away for good, or go on with that. What they are is written down first, so that a removal that was cut
 * short is never taken for a loss. The journal alone takes nothing away: what it says of other paths is left as it is.
 *
 * @param paths  with the SHA-256 of what each must be
 * @param by  name of the step that they are taken away for
 * @throws {DistillationError} `changed-output` where something else is there: nothing is deleted then
 */
export async function removeForGood(folder: string, paths: ReadonlyMap<string, string>, by: string): Promise<void> {
  const journal = await readRemovals(folder);
  for (const [path, sha256] of paths) {
    if (!(await isThere(folder, path))) continue;
    if ((await digestTree(await placeIn(folder, path))).sha256 !== sha256) {
      const problem = `${join(folder, path)} would be deleted, and is not what the run knows`;
      throw new DistillationError("changed-output", problem, "move it to another folder");
    }
    if (!journal.some((known) => known.path === path)) journal.push({ path, sha256, by, state: "begun" });
  }
  if (!journal.some(({ path, state }) => state === "begun" && paths.has(path))) return;
  await writeJournal(folder, journal);
  for (const path of paths.keys()) if (await isThere(folder, path)) await discard(folder, path);
  const isDone = ({ path, state }: Removal) => state === "done" || paths.has(path);
  await writeJournal(
    folder,
    journal.map((removal) => ({ ...removal, state: isDone(removal) ? "done" : "begun" })),
  );
}

/**
 * What was taken away is not there.
 *
 * @throws {DistillationError} `changed-output`: it may be the only copy that somebody has
 */
export async function refuseReturned(folder: string): Promise<void> {
  for (const { path, by, state } of await readRemovals(folder)) {
    if (state !== "done" || !(await isThere(folder, path))) continue;
    const problem = `${join(folder, path)} was taken away by ${by}, and is there again`;
    throw new DistillationError("changed-output", problem, "move it away; to use it again, begin a new folder with it");
  }
}

async function isThere(folder: string, path: string): Promise<boolean> {
  return (await statIfThere(await placeIn(folder, path))) !== undefined;
}

async function writeJournal(folder: string, removed: readonly Removal[]): Promise<void> {
  await writeJson(join(folder, REMOVAL_FILE), { format: "lockstep-distillation-removals", version: 1, removed });
}
