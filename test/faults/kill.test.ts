import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import type { Victim } from "./kill-rig.ts";
import { describeSeries, type KillSeries, runKillSeries } from "./kill-series.ts";
import { SEED, seededFor } from "./seed.ts";

const KILLS = 20;
/** Of five devices, each acknowledged about every 160 ms, one or more have been so within this time before any moment. */
const LATE_COMMIT_MS = 150;
const LATE_KILLS = 5;

const VICTIMS: readonly Victim[] = ["node", "mosquitto", "node and mosquitto", "device host"];

requires("mosquitto")("kill -9 while frames are unacknowledged", () => {
  test.for(VICTIMS)(
    `of the %s, ${KILLS} times: nothing confirmed is lost, and twins stay bit-identical`,
    async (victim) => {
      const series = await run(victim, KILLS, 0);
      expect(series.kills.length).toBe(KILLS);
      for (const { unacknowledged } of series.kills) expect(unacknowledged).toBeGreaterThan(0);
      expectNothingLost(series);
      expectTwinsInStep(series);
    },
  );

  test("of a node that acknowledges before it commits loses confirmed frames, which this suite notices", async () => {
    const series = await run("node", LATE_KILLS, LATE_COMMIT_MS);
    for (const { unacknowledged } of series.kills) expect(unacknowledged).toBeGreaterThan(0);
    const lost = series.audits.reduce((sum, { lostFrames }) => sum + lostFrames, 0);
    expect(lost).toBeGreaterThan(0);
    expect(() => expectNothingLost(series)).toThrow();
  });
});

async function run(victim: Victim, count: number, lateCommitMs: number): Promise<KillSeries> {
  const random = seededFor(`kill of ${victim}${lateCommitMs === 0 ? "" : ", commits late"}`);
  const series = await runKillSeries(victim, count, { seed: SEED, random, lateCommitMs });
  process.stdout.write(`${describeSeries(series)}\n`);
  return series;
}

function expectNothingLost({ audits, drained }: KillSeries): void {
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

function expectTwinsInStep({ audits, live, rebuilt }: KillSeries): void {
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
