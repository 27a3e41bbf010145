import { expect } from "vitest";
import type { KillSeries } from "./kill-series.ts";

/** Everything confirmed is stored, nothing else is, within its bound; and nothing waits any more. */
export function expectNothingLost({ audits, drained }: KillSeries): void {
  expect(drained).toMatchObject({ isComplete: true, unconfirmedFrames: 0, evictedSamples: 0 });
  for (const audit of audits) {
    expect(audit.confirmedFrames).toBeGreaterThan(0);
    expect(audit).toMatchObject({ lostFrames: 0, inventedSamples: 0, gaps: 0 });
    // What is in the rings at the end is what is not missing: the promise is 99 %, and there is no reason for less than all.
    expect(audit.missingSamples).toBeLessThanOrEqual(audit.framedSamples / 100);
    expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
    expect(audit.maxErrorOverEps).toBeGreaterThan(0);
  }
}

/** Every twin is where an uninterrupted decoder of the stored frames is, and where a node is that knows the store alone. */
export function expectTwinsInStep({ audits, live, rebuilt }: KillSeries): void {
  expect(live.length).toBe(audits.length);
  expect(rebuilt).toEqual(live);
  for (const { id, reference, storedSamples } of audits) {
    expect(reference.every(({ seqs, next, badSeals }) => seqs.size === next && badSeals === 0)).toBe(true);
    expect(reference.reduce((sum, { samples }) => sum + samples, 0)).toBe(storedSamples);
    const newest = reference.at(-1);
    expect(live.find((twin) => twin.id === id)).toMatchObject({
      epoch: newest?.epoch,
      confirmedSeq: newest?.next,
      samples: newest?.samples,
      stateHash: newest?.stateHash,
      lostSamples: 0,
    });
  }
}
