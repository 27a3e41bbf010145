import type { Page } from "playwright-core";
import { TASK_CATEGORIES, type TaskTimes, taskTimes } from "./page-tasks.ts";

/** How a page moved while something was done to it. */
export interface FrameTimes {
  readonly frames: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** Frames that took longer than a person overlooks. */
  readonly over50: number;
  readonly tasks: TaskTimes;
}

/** Begin to take down when frames are shown, and what is done between them. */
export async function watchFrames(page: Page): Promise<void> {
  await page.context().browser()?.startTracing(page, { categories: TASK_CATEGORIES });
  await page.evaluate(() => {
    const times: number[] = [];
    const next = (at: number): void => {
      times.push(at);
      state.handle = requestAnimationFrame(next);
    };
    const state = { times, handle: requestAnimationFrame(next) };
    Object.assign(globalThis, { lockstepFrames: state });
  });
}

/** End it. @returns times between frames */
export async function framesSince(page: Page): Promise<FrameTimes> {
  const times = await page.evaluate(() => {
    const { lockstepFrames } = globalThis as unknown as { lockstepFrames: { times: number[]; handle: number } };
    cancelAnimationFrame(lockstepFrames.handle);
    return lockstepFrames.times;
  });
  const trace = (await page.context().browser()?.stopTracing())?.toString() ?? '{"traceEvents":[]}';
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
  const sorted = gaps.sort((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return {
    frames: sorted.length,
    medianMs: quantile(0.5),
    p99Ms: quantile(0.99),
    worstMs: quantile(1),
    over50: sorted.filter((gap) => gap > 50).length,
    tasks: taskTimes(trace),
  };
}
