import type { Clock } from "@lockstep/edge-sdk";

/**
 * A clock that runs `speed` times faster than another: whoever keeps to it waits so many times shorter, and notices nothing.
 *
 * @param speed  > 0
 */
export function fasterClock(clock: Clock, speed: number): Clock {
  const startUs = clock.unixUs();
  return {
    nowMs: () => speed * clock.nowMs(),
    unixUs: () => startUs + Math.round(speed * (clock.unixUs() - startUs)),
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs / speed),
  };
}
