import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as v from "valibot";
import { isOver } from "../../jobs/job.ts";
import { CONFIG_FILE } from "../../workloads/distillation/distillation-config.ts";
import { inputName, OUTPUT_NAME, resultSchema } from "../../workloads/distillation/distillation-job.ts";
import { REGISTRY_FILE } from "../../workloads/distillation/registry-csv.ts";
import type { StepRunner } from "../../workloads/distillation/step-output.ts";
import { packTree, unpackTree } from "../../workloads/distillation/tree-pack.ts";
import { CommandError } from "../command-error.ts";
import { fetchOutputs } from "../jobs/fetch-outputs.ts";
import type { JobDoor } from "../jobs/job-door.ts";
import { JobLines } from "../jobs/job-lines.ts";
import type { InputFile } from "../jobs/job-request.ts";
import { openDoor, type QueueOptions } from "../jobs/open-door.ts";
import { plainText } from "../jobs/plain-text.ts";
import { submitJob } from "../jobs/submit-job.ts";
import { watchJobs } from "../jobs/watch-jobs.ts";
import type { Surroundings } from "../surroundings.ts";

/** Steps as jobs of a queue: the same step of the same inputs is the same job, so that nothing is done twice. */
export async function openStepJobs(
  surroundings: Surroundings,
  folder: string,
  { queue, tokenFile, ca }: QueueOptions & { readonly tokenFile?: string },
): Promise<{ readonly runner: StepRunner; close(): Promise<void> }> {
  const access = { ...(tokenFile === undefined ? {} : { tokenFile }), ...(ca === undefined ? {} : { ca }) };
  const door = await openDoor(surroundings, { queue, ...access }, "make");
  const scratch = await mkdtemp(join(tmpdir(), "lockstep-distill-"));
  const lines = new JobLines(surroundings.stderr, surroundings.clock);
  return {
    runner: async (step, root, out) => {
      const place = join(scratch, step.name);
      await mkdir(place, { recursive: true });
      const inputs: InputFile[] = [];
      for (const input of step.inputs) {
        const path = join(place, inputName(input));
        await pipeline(packTree(join(root, input)), createWriteStream(path));
        inputs.push({ name: inputName(input), path });
      }
      const params = {
        config: await readFile(join(folder, CONFIG_FILE), "utf8"),
        registry: await readFile(join(folder, REGISTRY_FILE), "utf8"),
        step: step.name,
      };
      const order = { workload: "distillation", params, salt: "", inputs, maxAttempts: undefined };
      const { id } = await submitJob(surroundings, door, order);
      const result = await resultOf(surroundings, door, lines, id, place);
      await unpackTree(join(place, OUTPUT_NAME), out);
      await rm(place, { recursive: true });
      const { step: _, stage: __, facts, ...measured } = result;
      return { facts, measured };
    },
    close: async () => {
      await rm(scratch, { recursive: true, force: true });
      await door.close();
    },
  };
}

/** Wait for a job, and bring its output. @throws {CommandError} `interrupted`, `refused` */
async function resultOf(surroundings: Surroundings, door: JobDoor, lines: JobLines, id: string, place: string) {
  const [job] = await watchJobs(surroundings, door, [id], lines);
  if (job === undefined || !isOver(job.state)) {
    throw new CommandError(
      "interrupted",
      `stopped while job ${id.slice(0, 12)} went on`,
      "the same command waits again",
    );
  }
  const { output, success } = v.safeParse(resultSchema, job.result?.value);
  if (job.state !== "done" || !success) {
    const why = job.error === null ? "" : `, ${plainText(job.error.message)}`;
    throw new CommandError("refused", `the job is ${job.state}${why}`, `see \`lockstep jobs show ${id.slice(0, 12)}\``);
  }
  await fetchOutputs(surroundings, door, job, { folder: place, isForced: true });
  return output;
}
