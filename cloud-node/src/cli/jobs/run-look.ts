import { CommandError } from "../command-error.ts";
import type { JobsOptions, ListOptions } from "../jobs.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { fetchOutputs } from "./fetch-outputs.ts";
import { chosenJob } from "./job-choice.ts";
import { isOver } from "../../jobs/job.ts";
import { endedText, jobLines, jobTable, listedJob, shownJob } from "./job-text.ts";
import { openDoor } from "./open-door.ts";
import { watchJobs } from "./watch-jobs.ts";

/** Jobs that are followed at once at most. */
const MOST_WATCHED = 1_000;

/** `lockstep jobs list`. */
export async function runList(surroundings: Surroundings, options: ListOptions): Promise<void> {
  const { state, workload, limit, json } = options;
  const door = await openDoor(surroundings, options);
  try {
    const jobs = await door.list({ states: state.length === 0 ? undefined : state, workload, limit });
    const table = jobTable(jobs, surroundings.clock.unixUs() / 1000);
    await writeResult(surroundings, json, { jobs: jobs.map(listedJob) }, table);
  } finally {
    await door.close();
  }
}

/** `lockstep jobs watch`. */
export async function runWatch(
  surroundings: Surroundings,
  texts: readonly string[],
  options: JobsOptions,
): Promise<void> {
  const door = await openDoor(surroundings, options);
  try {
    const ids =
      texts.length > 0
        ? await Promise.all(texts.map((text) => chosenJob(door, text)))
        : (await door.list({ states: ["queued", "running"], limit: MOST_WATCHED })).map(({ id }) => id);
    const jobs = await watchJobs(surroundings, door, [...new Set(ids)]);
    const table = `${jobTable(jobs, surroundings.clock.unixUs() / 1000)}\n${endedText(jobs)}`;
    const text = jobs.length === 0 ? "no job is queued or running" : table;
    await writeResult(surroundings, options.json, { jobs: jobs.map(shownJob) }, text);
    const missed = jobs.filter((job) => isOver(job.state) && job.state !== "done").length;
    if (missed > 0) throw new CommandError("refused", `${missed} of ${jobs.length} jobs are not done`, "see above");
  } finally {
    await door.close();
  }
}

/** `lockstep jobs show`. */
export async function runShow(
  surroundings: Surroundings,
  text: string,
  options: JobsOptions & { readonly out?: string },
): Promise<void> {
  const { out, json } = options;
  const door = await openDoor(surroundings, options);
  try {
    const job = await door.get(await chosenJob(door, text));
    const paths = out === undefined ? [] : await fetchOutputs(surroundings, door, job, out);
    const log = json === true ? [] : await door.log(job.id);
    const lines = jobLines(job, log, surroundings.clock.unixUs() / 1000);
    await writeResult(surroundings, json, shownJob(job), [lines, ...paths].join("\n"));
  } finally {
    await door.close();
  }
}
