import { basename } from "node:path";
import * as v from "valibot";
import { formatCounted } from "../../api/number-text.ts";
import { isOver, type JsonObject } from "../../jobs/job.ts";
import type { CellResult } from "../../workloads/language-model/ablation.ts";
import { resultSchema } from "../../workloads/language-model/language-model-job.ts";
import { BACKEND_CHOICES } from "../../workloads/language-model/open-backend.ts";
import { CommandError } from "../command-error.ts";
import { openDoor } from "../jobs/open-door.ts";
import { plainText } from "../jobs/plain-text.ts";
import { submitJob } from "../jobs/submit-job.ts";
import { watchJobs } from "../jobs/watch-jobs.ts";
import type { AblateCommandOptions } from "../lm.ts";
import type { Surroundings } from "../surroundings.ts";
import type { PlannedCell } from "./run-ablate.ts";

/** Hand every run in as a job, and wait for all: the same request is the same job, so that nothing is done twice. */
export async function ablateByJobs(
  surroundings: Surroundings,
  text: string,
  cells: readonly PlannedCell[],
  options: AblateCommandOptions & { readonly queue: string },
): Promise<CellResult[]> {
  const { backend = BACKEND_CHOICES[0], threads = 1, tokenizer, tokenFile, ca, queue } = options;
  const files = [text, ...(tokenizer === undefined ? [] : [tokenizer])];
  const inputs = files.map((path) => ({ name: basename(path), path }));
  const access = { ...(tokenFile === undefined ? {} : { tokenFile }), ...(ca === undefined ? {} : { ca }) };
  const door = await openDoor(surroundings, { queue, ...access }, "make");
  try {
    const ids: string[] = [];
    for (const { config } of cells) {
      const params: JsonObject = { config: JSON.parse(JSON.stringify(config)), backend, threads };
      const order = { workload: "language-model", params, salt: "", inputs, maxAttempts: undefined };
      ids.push((await submitJob(surroundings, door, order)).id);
    }
    const jobs = await watchJobs(surroundings, door, ids);
    if (!jobs.every(({ state }) => isOver(state)) || jobs.length < ids.length) {
      const remedy = "they go on; the same command waits for them again";
      throw new CommandError("interrupted", `stopped while ${formatCounted(ids.length, "job")} went on`, remedy);
    }
    return cells.map(({ cell }, index): CellResult => {
      const job = jobs.find(({ id }) => id === ids[index]);
      const result = v.safeParse(resultSchema, job?.result?.value);
      // Its parameters were verified here: what a worker calls bad about them is that they diverge.
      if (job?.state === "failed" && job.error?.code === "bad-params") {
        return { cell, divergence: plainText(job.error.message) };
      }
      if (!result.success) {
        const why = job?.error == null ? "" : `, ${plainText(job.error.message)}`;
        const problem = `the job of ${cell.name} is ${job?.state ?? "gone"}${why}`;
        throw new CommandError("refused", problem, `see \`lockstep jobs show ${ids[index]?.slice(0, 12)}\``);
      }
      const { parameters, trainLoss, valLoss, valBitsPerByte, tokensPerSecond } = result.output;
      return { cell, parameters, trainLoss, valLoss, valBitsPerByte, tokensPerSecond };
    });
  } finally {
    await door.close();
  }
}
