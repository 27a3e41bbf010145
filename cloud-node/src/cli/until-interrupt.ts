import type { Clock } from "@lockstep/edge-sdk";

/**
 * Wait for Ctrl-C, for the end of a duration, or for whichever comes first.
 *
 * @param durationS  seconds; undefined: without end
 */
export function untilInterrupt(interrupt: AbortSignal, clock: Clock, durationS?: number): Promise<void> {
  return new Promise((resolve) => {
    if (interrupt.aborted) return resolve();
    const timer = durationS === undefined ? undefined : clock.setTimer(finish, durationS * 1000);
    function finish(): void {
      timer?.cancel();
      interrupt.removeEventListener("abort", finish);
      resolve();
    }
    interrupt.addEventListener("abort", finish);
  });
}
