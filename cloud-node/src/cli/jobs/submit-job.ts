import { stat } from "node:fs/promises";
import type { JobSpec, JobState, NamedBlob } from "../../jobs/job.ts";
import { CommandError } from "../command-error.ts";
import { ProgressLine } from "../progress-line.ts";
import type { Surroundings } from "../surroundings.ts";
import type { JobDoor } from "./job-door.ts";
import { type InputFile, nameBytes } from "./job-request.ts";

/** A job as it is to be handed in. */
export interface JobOrder extends Pick<JobSpec, "workload" | "params" | "salt"> {
  readonly inputs: readonly InputFile[];
  readonly maxAttempts: number | undefined;
}

/**
 * Send the inputs that are not there yet, and hand the job in.
 *
 * @returns its id, and how it stands: the same request may have been handed in before
 * @throws {CommandError} `interrupted`: nothing was handed in, and what was sent is gone on with the next time
 */
export async function submitJob(
  { stderr, clock, interrupt }: Surroundings,
  door: JobDoor,
  order: JobOrder,
): Promise<{ readonly id: string; readonly state: JobState }> {
  const { workload, params, salt, inputs: files, maxAttempts } = order;
  const progress = new ProgressLine(stderr, clock, `submit ${workload}`);
  try {
    const inputs: NamedBlob[] = [];
    const { take } = door;
    progress.stage(take === undefined ? "1/2 read" : "read and keep");
    const sizes = await sizesOf(files);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    let before = 0;
    const told = { onProgress: (bytes: number) => progress.update(before + bytes, all), signal: interrupt };
    for (const file of files) {
      const blob = await nameBytes(file, told, take);
      inputs.push(blob);
      before += blob.bytes;
    }
    if (take === undefined) {
      progress.stage("2/2 send");
      before = 0;
      for (const [i, blob] of inputs.entries()) {
        await door.put(files[i]?.path ?? "", blob, told);
        before += blob.bytes;
      }
    }
    progress.finishing();
    return await door.submit({ workload, params, inputs, salt }, maxAttempts);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    const sent = door.take === undefined ? "; what was sent is not sent again" : "";
    const remedy = `nothing was handed in${sent}`;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, remedy, { cause: error });
  } finally {
    progress.clear();
  }
}

async function sizesOf(files: readonly InputFile[]): Promise<number[]> {
  return await Promise.all(files.map(async ({ path }) => (await stat(path)).size));
}
