import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { unlessAbsent } from "../../jobs/disk-call.ts";
import { aboutOutput } from "../../workloads/output-problem.ts";
import { CommandError } from "../command-error.ts";
import { PartialFile } from "../partial-file.ts";
import { ProgressLine } from "../progress-line.ts";
import type { Surroundings } from "../surroundings.ts";
import type { JobDoor } from "./job-door.ts";
import { plainText } from "./plain-text.ts";

/** Where outputs go. */
export interface OutputPlace {
  /** Made where it is not there. */
  readonly folder: string;
  /** Whether files that are there already are written over: their names are the job's choice. */
  readonly isForced: boolean;
}

/**
 * Bring what a job left into a folder: each file whole, verified and on the disk, or not at all.
 *
 * @returns paths, in the job's order
 * @throws {CommandError} `refused` when it is not done, names an output as no file may be, or has one that is there already;
 *   `interrupted`
 * @throws {JobError} `missing-blob`, `tampered-blob`
 */
export async function fetchOutputs(
  { stderr, clock, interrupt }: Surroundings,
  door: JobDoor,
  { id, state, result }: JobAnswer,
  { folder, isForced }: OutputPlace,
): Promise<string[]> {
  if (result === null) {
    throw new CommandError("refused", `job ${id.slice(0, 12)} is ${state}, and left nothing`, "wait until it is done");
  }
  const { outputs } = result;
  const wrong = outputs.find(({ name }) => name === "." || name === ".." || /[/\\\0]/.test(name));
  if (wrong !== undefined) {
    const problem = `the output "${plainText(wrong.name)}" is no file in a folder`;
    throw new CommandError("refused", problem, "fetch it over the API");
  }
  await mkdir(folder, { recursive: true });
  const places = outputs.map((output) => ({ output, path: join(folder, output.name) }));
  if (!isForced) await checkAreNew(places.map(({ path }) => path));
  const all = outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new ProgressLine(stderr, clock, "fetch");
  let before = 0;
  try {
    for (const { output, path } of places) {
      const onProgress = (bytes: number) => progress.update(before + bytes, all);
      const file = await PartialFile.open(path);
      try {
        await file.fill(door.read(output, { onProgress, signal: interrupt }));
        await file.keep();
      } catch (error) {
        await file.discard();
        throw aboutOutput(error, path);
      }
      before += output.bytes;
    }
    return places.map(({ path }) => path);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "nothing half-written is left", {
      cause: error,
    });
  } finally {
    progress.clear();
  }
}

/** @throws {CommandError} `refused` */
async function checkAreNew(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if ((await stat(path).catch(unlessAbsent)) === undefined) continue;
    throw new CommandError("refused", `${plainText(path)} is there already`, "name another folder, or add --force");
  }
}
