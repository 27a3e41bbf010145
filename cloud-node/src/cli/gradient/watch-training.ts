import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { isOver } from "../../jobs/job.ts";
import type { JobDoor } from "../jobs/job-door.ts";
import { plainText } from "../jobs/plain-text.ts";
import { TrainingLine } from "../lm/training-line.ts";
import type { Surroundings } from "../surroundings.ts";

/** A job is looked at again after so long at most. */
const LOOK_MS = 1_000;
/** So is its log, which comes as a whole. */
const LOG_MS = 5_000;

/**
 * Follow a job that trains: on a terminal one line with its loss as a curve, and what it says.
 *
 * @returns as it was last: over, unless the command was interrupted
 */
export async function watchTraining(
  { stderr, clock, interrupt }: Surroundings,
  door: JobDoor,
  id: string,
): Promise<JobAnswer> {
  const line = new TrainingLine(stderr, clock);
  let said = 0;
  let readMs = Number.NEGATIVE_INFINITY;
  try {
    for (;;) {
      const job = await door.get(id);
      const isDue = isOver(job.state) || clock.nowMs() - readMs >= LOG_MS;
      if (stderr.isTTY === true && isDue) {
        const lines = await door.log(id);
        for (const text of lines.slice(said)) line.say(plainText(text));
        said = Math.max(said, lines.length);
        readMs = clock.nowMs();
      }
      draw(line, job);
      if (isOver(job.state) || interrupt.aborted) return job;
      await door.change(LOOK_MS, interrupt);
    }
  } finally {
    line.clear();
  }
}

function draw(line: TrainingLine, { progress }: JobAnswer): void {
  const { step, loss } = progress?.metrics ?? {};
  const fraction = progress?.fraction ?? 0;
  if (step !== undefined && loss !== undefined && fraction > 0)
    line.step(step, Math.round(step / fraction), loss, step);
}
