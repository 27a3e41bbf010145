import { isOver } from "../../jobs/job.ts";
import { CommandError } from "../command-error.ts";
import type { SubmitOptions } from "../jobs.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { type InputFile, readParams } from "./job-request.ts";
import { jobLines } from "./job-text.ts";
import { checkWork, knownWorkloads } from "./known-workloads.ts";
import { openDoor } from "./open-door.ts";
import { plainText } from "./plain-text.ts";
import { submitJob } from "./submit-job.ts";
import { watchJobs } from "./watch-jobs.ts";

/** `lockstep jobs submit`. */
export async function runSubmit(
  surroundings: Surroundings,
  workload: string,
  inputs: readonly InputFile[],
  options: SubmitOptions,
): Promise<void> {
  const { salt, attempts: maxAttempts, json, watch } = options;
  const twice = inputs.find(({ name }, i) => inputs.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) {
    throw new CommandError(
      "usage",
      `two inputs are called "${twice.name}"`,
      "give one another name with --input NAME=PATH",
    );
  }
  const params = await readParams(options);
  await checkWork(await knownWorkloads(options.workloadsFrom), workload, params);
  const door = await openDoor(surroundings, options, "make");
  try {
    const { id, state } = await submitJob(surroundings, door, { workload, params, inputs, salt, maxAttempts });
    if (watch !== true) {
      await writeResult(surroundings, json, { id }, id);
      if (!isOver(state) || state === "done") return;
      // The same request is the same job, whose end is not undone by asking again.
      surroundings.stderr.write(`lockstep: this job is ${state} from before: ${retryRemedy({ id })}\n`);
      return;
    }
    // Whoever watches and goes away can find it again.
    surroundings.stderr.write(`${id}\n`);
    const [job] = await watchJobs(surroundings, door, [id]);
    if (job === undefined || !isOver(job.state)) {
      await writeResult(surroundings, json, { id }, id);
      const remedy = `it goes on; follow it with \`lockstep jobs watch ${id.slice(0, 12)}\``;
      throw new CommandError("interrupted", `stopped while job ${id.slice(0, 12)} went on`, remedy);
    }
    const log = job.state === "done" ? [] : await door.log(id);
    await writeResult(surroundings, json, { id }, jobLines(job, log, surroundings.clock.unixUs() / 1000));
    if (job.state === "done") return;
    const problem = `the job is ${job.state}${job.error === null ? "" : `, ${plainText(job.error.message)}`}`;
    throw new CommandError("refused", problem, retryRemedy(job));
  } finally {
    await door.close();
  }
}

function retryRemedy({ id }: { readonly id: string }): string {
  return `\`lockstep jobs retry ${id.slice(0, 12)}\` begins it anew`;
}
