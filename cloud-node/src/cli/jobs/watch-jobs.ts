import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { isOver } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import { CommandError } from "../command-error.ts";
import type { Surroundings } from "../surroundings.ts";
import type { JobDoor } from "./job-door.ts";
import { JobLines } from "./job-lines.ts";

/** Jobs are looked at again after so long, whether anything was told or not. */
const LOOK_MS = 1_000;
/** And no more often than this, ms: changes come with every few percent of many jobs. */
const PACE_MS = 100;
/** A queue that is away for so long is not waited for any more; the jobs go on when it is back. */
const AWAY_LIMIT_MS = 60_000;

/**
 * Follow jobs until all are over, with a line for each on a terminal.
 *
 * @param lines  of all that are watched at once
 * @returns as they were last: all over, unless the command was interrupted; then perhaps not all of them
 * @throws {JobError} `queue-away`, {CommandError} `not-reachable` when it stays away
 */
export async function watchJobs(
  { stderr, clock, interrupt }: Surroundings,
  door: JobDoor,
  ids: readonly string[],
  lines = new JobLines(stderr, clock),
): Promise<JobAnswer[]> {
  const jobs = new Map<string, JobAnswer>();
  let seenMs = clock.nowMs();
  try {
    for (;;) {
      try {
        for (const id of ids) {
          const known = jobs.get(id);
          if (known === undefined || !isOver(known.state)) jobs.set(id, await door.get(id));
        }
        seenMs = clock.nowMs();
      } catch (error) {
        // Whoever ends this is told how the jobs stood last.
        if (!interrupt.aborted && (!isAway(error) || clock.nowMs() - seenMs > AWAY_LIMIT_MS)) throw error;
      }
      const all = [...jobs.values()];
      lines.draw(all);
      const isDone = all.length === ids.length && all.every(({ state }) => isOver(state));
      if (isDone || interrupt.aborted) return all;
      await pause(clock, interrupt);
      await door.change(LOOK_MS - PACE_MS, interrupt);
    }
  } finally {
    lines.clear();
  }
}

function isAway(error: unknown): boolean {
  if (error instanceof JobError) return error.code === "queue-away";
  return error instanceof CommandError && error.code === "not-reachable";
}

function pause(clock: Surroundings["clock"], interrupt: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      interrupt.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimer(end, PACE_MS);
    interrupt.addEventListener("abort", end);
  });
}
