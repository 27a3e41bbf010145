import { formatCounted } from "../../api/number-text.ts";
import type { JobsOptions } from "../jobs.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { checkJobText, chosenJob } from "./job-choice.ts";
import { shownJob, stateText } from "./job-text.ts";
import { openDoor } from "./open-door.ts";

const DAY_MS = 86_400_000;

/** `lockstep jobs cancel` and `retry`. */
export async function runChange(
  surroundings: Surroundings,
  verb: "cancel" | "retry",
  text: string,
  options: JobsOptions,
): Promise<void> {
  checkJobText(text);
  const door = await openDoor(surroundings, options);
  try {
    const job = await door[verb](await chosenJob(door, text));
    await writeResult(surroundings, options.json, shownJob(job), `${job.id.slice(0, 12)}  ${stateText(job)}`);
  } finally {
    await door.close();
  }
}

/** `lockstep jobs prune`. */
export async function runPrune(
  surroundings: Surroundings,
  options: JobsOptions & { readonly olderThan: number },
): Promise<void> {
  const door = await openDoor(surroundings, options);
  try {
    const beforeMs = Math.floor(surroundings.clock.unixUs() / 1000 - options.olderThan * DAY_MS);
    const pruned = await door.prune(beforeMs);
    await writeResult(surroundings, options.json, { pruned }, `${formatCounted(pruned.length, "job")} forgotten`);
  } finally {
    await door.close();
  }
}
