import { afterEach, expect, test } from "vitest";
import { FastClock } from "./fast-clock.ts";
import { SEED, seededFor } from "./seed.ts";
import { FRAME_SAMPLES, SPEED, TestBed } from "./test-bed.ts";

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
const BATCH = 20 * FRAME_SAMPLES;

let bed: TestBed | undefined;
afterEach(async () => {
  await bed?.close();
  bed = undefined;
});

test.for([HOUR_US, -HOUR_US, 400 * DAY_US, -400 * DAY_US])(
  "a node whose clock jumps by %d µs and back loses no sample, moves none in time, and keeps its twins in step",
  async (byUs) => {
    const running = new TestBed(SEED, seededFor(`a node's clock that jumps by ${byUs} µs`));
    bed = running;
    const clock = new FastClock(SPEED);
    await running.startNode({ clock });
    const loopback = running.loopback();
    const device = await running.device("unit", loopback.transport);
    const step = async () => {
      device.take(BATCH);
      expect(await device.drain()).toBe(true);
    };
    await step();
    clock.setWall(byUs);
    await step();
    // A node that starts in the wrong time reads what one of the right time wrote.
    await running.node.close();
    await running.startNode({ clock });
    running.node.attach(loopback);
    await step();
    clock.setWall(-byUs);
    await step();
    await expectAll(running, device.next);
  },
);

test.for([HOUR_US, -HOUR_US])("a device whose own clock is set by %d µs while it runs loses nothing", async (byUs) => {
  const running = new TestBed(SEED, seededFor(`a device's clock set by ${byUs} µs`));
  bed = running;
  // The node's clock is another one, and stays.
  await running.startNode({ clock: new FastClock(SPEED) });
  const device = await running.device("unit", running.loopback().transport);
  for (const jumpUs of [0, byUs, -byUs, byUs, -byUs]) {
    running.clock.setWall(jumpUs);
    device.take(BATCH);
    expect(await device.drain()).toBe(true);
  }
  await expectAll(running, device.next);
});

async function expectAll(running: TestBed, samples: number): Promise<void> {
  const view = running.node.device("unit");
  const audit = await running.audit("unit");
  expect(audit).toMatchObject({
    lostFrames: 0,
    missingSamples: 0,
    inventedSamples: 0,
    gaps: 0,
    storedSamples: samples,
  });
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
  expect(audit.reference.every(({ badSeals }) => badSeals === 0)).toBe(true);
  expect(view?.stateHash).toBe(audit.reference.at(-1)?.stateHash);
  expect(view?.confirmed.samples).toBe(samples);
}
