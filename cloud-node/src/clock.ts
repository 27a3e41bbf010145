/** A timer that was set; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as the node sees it: passed in, so that a test can own it.
 *
 * `nowMs` is monotonic and starts anywhere; `unixUs` is wall time in microseconds since 1970, an integer.
 */
export interface Clock {
  nowMs(): number;
  unixUs(): number;
  /** Run `callback` once, `delayMs` from now, never synchronously. */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** The computer's own clock. */
export function systemClock(): Clock {
  return {
    nowMs: () => performance.now(),
    unixUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
    setTimer(callback, delayMs) {
      const handle = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(handle) };
    },
  };
}
