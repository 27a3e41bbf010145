import { formatCounted } from "../../api/number-text.ts";
import { isOver } from "../../jobs/job.ts";
import { MOST_JOBS } from "../../jobs/job-queue.ts";
import { CommandError } from "../command-error.ts";
import type { JobsOptions, ListOptions, ShowOptions } from "../jobs.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { fetchOutputs } from "./fetch-outputs.ts";
import { checkJobText, chosenJob } from "./job-choice.ts";
import { endedText, jobLines, jobTable, listedJob, shownJob } from "./job-text.ts";
import { openDoor } from "./open-door.ts";
import { plainText } from "./plain-text.ts";
import { watchJobs } from "./watch-jobs.ts";

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
  for (const text of texts) checkJobText(text);
  const door = await openDoor(surroundings, options);
  try {
    const ids =
      texts.length > 0
        ? await Promise.all(texts.map((text) => chosenJob(door, text)))
        : (await door.list({ states: ["queued", "running"], limit: MOST_JOBS })).map(({ id }) => id);
    const watched = [...new Set(ids)];
    const jobs = await watchJobs(surroundings, door, watched);
    const table = `${jobTable(jobs, surroundings.clock.unixUs() / 1000)}\n${endedText(jobs)}`;
    const text = watched.length === 0 ? "no job is queued or running" : table;
    await writeResult(surroundings, options.json, { jobs: jobs.map(shownJob) }, text);
    const open = watched.length - jobs.filter(({ state }) => isOver(state)).length;
    if (open > 0) {
      const remedy = "they go on; follow them with `lockstep jobs watch`";
      throw new CommandError(
        "interrupted",
        `stopped while ${formatCounted(open, "job")} of ${watched.length} went on`,
        remedy,
      );
    }
    const missed = jobs.filter(({ state }) => state !== "done").length;
    if (missed > 0) throw new CommandError("refused", `${missed} of ${jobs.length} jobs are not done`, "see above");
  } finally {
    await door.close();
  }
}

/** `lockstep jobs show`. */
export async function runShow(surroundings: Surroundings, text: string, options: ShowOptions): Promise<void> {
  const { out, force, json } = options;
  checkJobText(text);
  const door = await openDoor(surroundings, options);
  try {
    const job = await door.get(await chosenJob(door, text));
    const paths =
      out === undefined ? [] : await fetchOutputs(surroundings, door, job, { folder: out, isForced: force === true });
    const log = json === true ? [] : await door.log(job.id);
    const lines = jobLines(job, log, surroundings.clock.unixUs() / 1000);
    await writeResult(surroundings, json, shownJob(job), [lines, ...paths.map(plainText)].join("\n"));
  } finally {
    await door.close();
  }
}
