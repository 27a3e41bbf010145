import { CommandError } from "./command-error.ts";
import type { Surroundings } from "./surroundings.ts";

/** A supervisor kills what has not ended by then: ten seconds is what most of them wait. */
const LIMIT_MS = 8_000;

/**
 * Close something, but not for ever.
 *
 * @throws {CommandError} `interrupted` when it takes over 8 s; what it holds is then given up
 */
export async function closeWithin({ clock }: Pick<Surroundings, "clock">, close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      const problem = `shutting down took over ${LIMIT_MS / 1000} s`;
      reject(new CommandError("interrupted", problem, "devices keep what was not acknowledged"));
    };
    // Left behind, the timer would keep a process that has nothing else to do.
    const timer = clock.setTimer(giveUp, LIMIT_MS);
    close()
      .finally(() => timer.cancel())
      .then(resolve, reject);
  });
}
