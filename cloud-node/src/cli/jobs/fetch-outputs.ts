import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { CommandError } from "../command-error.ts";
import { PartialFile } from "../partial-file.ts";
import { ProgressLine } from "../progress-line.ts";
import type { Surroundings } from "../surroundings.ts";
import type { JobDoor } from "./job-door.ts";

/**
 * Bring what a job left into a folder: each file whole and verified, or not at all.
 *
 * @returns paths, in the job's order
 * @throws {CommandError} `refused` when it is not done, or names an output as no file may be; `interrupted`
 * @throws {JobError} `missing-blob`, `tampered-blob`
 */
export async function fetchOutputs(
  { stderr, clock, interrupt }: Surroundings,
  door: JobDoor,
  { id, state, result }: JobAnswer,
  folder: string,
): Promise<string[]> {
  if (result === null) {
    throw new CommandError("refused", `job ${id.slice(0, 12)} is ${state}, and left nothing`, "wait until it is done");
  }
  const { outputs } = result;
  const wrong = outputs.find(({ name }) => name === "." || name === ".." || /[/\\\0]/.test(name));
  if (wrong !== undefined) {
    throw new CommandError("refused", `the output "${wrong.name}" is no file in a folder`, "fetch it over the API");
  }
  await mkdir(folder, { recursive: true });
  const all = outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new ProgressLine(stderr, clock, "fetch");
  const paths: string[] = [];
  let before = 0;
  try {
    for (const output of outputs) {
      const path = join(folder, output.name);
      const file = await PartialFile.open(path);
      try {
        const onProgress = (bytes: number) => progress.update(before + bytes, all);
        for await (const chunk of door.read(output, { onProgress, signal: interrupt })) {
          if (!file.stream.write(chunk)) await once(file.stream, "drain");
        }
        await file.keep();
      } catch (error) {
        await file.discard();
        throw error;
      }
      before += output.bytes;
      paths.push(path);
    }
    return paths;
  } catch (error) {
    if (!interrupt.aborted) throw error;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "nothing half-written is left", {
      cause: error,
    });
  } finally {
    progress.clear();
  }
}
