import { CommandError } from "../command-error.ts";
import { ProgressLine } from "../progress-line.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Do long work with a line of progress; Ctrl-C ends it with a line that says how far it was, and what is left of it.
 *
 * @param left  what is there afterwards: "nothing was written"
 * @throws {CommandError} `interrupted`
 */
export async function interruptible<T>(
  { stderr, clock, interrupt }: Surroundings,
  title: string,
  left: string,
  work: (progress: ProgressLine, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const progress = new ProgressLine(stderr, clock, title, "rows/s");
  try {
    return await work(progress, interrupt);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, left, { cause: error });
  } finally {
    progress.clear();
  }
}
