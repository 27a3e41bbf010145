import { describe, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { expectNothingLost, expectTwinsInStep } from "./kill-expectations.ts";
import type { RigBroker, Victim } from "./kill-rig.ts";
import { describeSeries, type KillSeries, runKillSeries } from "./kill-series.ts";
import { SEED, seededFor } from "./seed.ts";

const KILLS = 20;
/** Of five devices, each acknowledged about every 160 ms, one or more have been so within this time before any moment. */
const LATE_COMMIT_MS = 150;
const LATE_KILLS = 5;
/** What is the same with every broker was tried often enough with one. */
const OTHER_BROKER_KILLS = 5;

const VICTIMS: readonly Victim[] = ["node", "broker", "node and broker", "device host"];

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

describe("kill -9 of an embedded broker, and its node with it", () => {
  test("loses nothing confirmed, and twins stay bit-identical", async () => {
    const series = await run("node", OTHER_BROKER_KILLS, 0, "embedded");
    expect(series.kills.length).toBe(OTHER_BROKER_KILLS);
    expectNothingLost(series);
    expectTwinsInStep(series);
  });
});

requires("nats-server")("kill -9 with NATS for a broker", () => {
  test.for(["broker", "node and broker"] as const)(
    "of the %s: nothing confirmed is lost, and twins stay bit-identical",
    async (victim) => {
      const series = await run(victim, OTHER_BROKER_KILLS, 0, "nats-server");
      expect(series.kills.length).toBe(OTHER_BROKER_KILLS);
      expectNothingLost(series);
      expectTwinsInStep(series);
    },
  );
});

async function run(
  victim: Victim,
  count: number,
  lateCommitMs: number,
  broker: RigBroker = "mosquitto",
): Promise<KillSeries> {
  const random = seededFor(`kill of ${victim}, ${broker}${lateCommitMs === 0 ? "" : ", commits late"}`);
  const series = await runKillSeries(victim, count, { seed: SEED, random, lateCommitMs, broker });
  process.stdout.write(`${describeSeries(series)}\n`);
  return series;
}
