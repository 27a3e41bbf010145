import { expect, test } from "vitest";
import { EU868_DUTY_CYCLE } from "./lorawan-airtime.ts";
import { runLora } from "./lorawan-run.ts";
import { plainDemand } from "./wire-lorawan.ts";
import { rotorSource, slowSource } from "./wire-source.ts";

test("with nothing in the way, every sample of a frame that ended arrives, and a birth goes in fragments", async () => {
  const source = rotorSource();
  const run = await runLora({ source, seed: 1, frameSamples: 100, seconds: 20, dutyCycle: undefined });
  expect(run.samples + run.device.pendingSamples).toBe(2000);
  expect(run.births).toBe(1);
  expect(run.birthUplinks).toBeGreaterThan(1);
  expect(run.bytes / run.uplinks).toBeLessThanOrEqual(51);
});

test("a device that keeps to the duty cycle is never on air for longer than its share, and sends its birth once", async () => {
  const seconds = 6 * 3600;
  const run = await runLora({ source: slowSource(), seed: 1, frameSamples: 1, seconds, dutyCycle: EU868_DUTY_CYCLE });
  const lastMessageMs = 2800;
  expect(run.airtimeMs).toBeLessThanOrEqual(1000 * seconds * EU868_DUTY_CYCLE + lastMessageMs);
  expect(run.airtimeMs).toBeGreaterThan(900 * seconds * EU868_DUTY_CYCLE);
  expect(run.births).toBe(1);
});

test("a plain frame takes as many messages as its bytes fill", () => {
  expect(plainDemand(rotorSource(), 1)).toMatchObject({ uplinks: 360_000, applicationBytes: 8_640_000 });
  // 240 B: four messages of 51 B and one of 36 B, ten times a second.
  expect(plainDemand(rotorSource(), 10)).toMatchObject({ uplinks: 5 * 36_000 });
});
