import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { expectNothingLost, expectTwinsInStep } from "./kill-expectations.ts";
import { describeSeries, runSeries } from "./kill-series.ts";
import { SEED, seededFor } from "./seed.ts";

const STARTS = 8;
const BROKER_STARTS = 4;

requires("mosquitto")("a storm of restarts", () => {
  test("of a node, killed again and again before or right after it is ready, loses nothing", async () => {
    const random = seededFor("a storm of restarts");
    const series = await runSeries("node", { seed: SEED, random }, async (rig) => {
      await rig.storm(STARTS);
      return [];
    });
    process.stdout.write(`${STARTS} starts: ${describeSeries(series)}\n`);
    expectNothingLost(series);
    expectTwinsInStep(series);
  });

  test("of node and broker in turns, while the other comes back, loses nothing", async () => {
    const random = seededFor("node and broker in turns");
    const series = await runSeries("node", { seed: SEED, random }, async (rig) => {
      for (let i = 0; i < BROKER_STARTS; i += 1) {
        await rig.stopBroker();
        await rig.storm(1 + Math.floor(2 * random.uniform()), { isReady: false });
        await rig.startBroker();
      }
      // One that found no broker has ended.
      await rig.restartNode();
      return [];
    });
    process.stdout.write(`${BROKER_STARTS} of both: ${describeSeries(series)}\n`);
    expect(series.kills.length).toBe(0);
    expectNothingLost(series);
    expectTwinsInStep(series);
  });
});
