import { CommandError } from "./command-error.ts";
import type { Surroundings } from "./surroundings.ts";

/** A supervisor kills what has not ended by then: ten seconds is what most of them wait. */
const LIMIT_MS = 8_000;

/**
 * Close something, but not for ever.
 *
 * @throws {CommandError} `interrupted` when it takes over 8 s; what it holds is then given up
 */
export async function closeWithin({ clock }: Surroundings, close: () => Promise<void>): Promise<void> {
  let isDone = false;
  await Promise.race([
    close().finally(() => {
      isDone = true;
    }),
    new Promise<void>((resolve) => clock.setTimer(resolve, LIMIT_MS)),
  ]);
  if (isDone) return;
  const problem = `shutting down took over ${LIMIT_MS / 1000} s`;
  throw new CommandError("interrupted", problem, "devices keep what was not acknowledged");
}
