import { readFileSync } from "node:fs";
import {
  type ChannelPlan,
  compileDeviceModule,
  compileGatewayModule,
  DeviceSession,
  type DeviceSessionOptions,
  Loopback,
  planChannel,
  systemClock,
} from "@lockstep/edge-sdk";
import { toValue } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import { describe, expect, test } from "vitest";
import { RawCloud } from "./raw-cloud.ts";
import { DEVICE_WASM } from "./raw-device.ts";

/** A gateway looks ahead; the cloud, which decodes with `device.wasm`, need not know. */
const EPS = 0.05;
const PERIOD_NS = 10_000_000;
const WAIT_MS = 20_000;
const SEED = 5;
const device = readFileSync(DEVICE_WASM);
const gateway = compileGatewayModule(readFileSync(new URL("gateway.wasm", DEVICE_WASM)), device);
const channels: ChannelPlan[] = ["x", "y", "z"].map((name) => planChannel({ name, eps: EPS, min: -100, max: 100 }));

/** Levels and ramps with noise inside the bound, now and then a reading that is missing. */
function readings(count: number, missing: number): number[][] {
  const random = seededRandom(SEED);
  const uniform = () => random.uint32() / 2 ** 32;
  const level = channels.map(() => 0);
  const slope = channels.map(() => 0);
  return Array.from({ length: count }, () =>
    level.map((_, c) => {
      if (uniform() < 0.02) slope[c] = uniform() < 0.5 ? 0 : (uniform() - 0.5) / 5;
      level[c] = (level[c] ?? 0) + (slope[c] ?? 0);
      return uniform() < missing ? Number.NaN : (level[c] ?? 0) + (uniform() - 0.5) * EPS;
    }),
  );
}

/** Push readings through a session and a loopback, and check what arrives. */
async function run(rows: readonly number[][], changes: Partial<DeviceSessionOptions>) {
  const [loopback, cloud] = [new Loopback(), new RawCloud()];
  loopback.listen({
    connected() {},
    disconnected() {},
    message(bytes) {
      for (const answer of cloud.take(bytes)) loopback.send(answer);
      if (cloud.birth !== undefined) loopback.send(cloud.ackAll());
    },
  });
  const session = await DeviceSession.open({
    device: "gateway",
    channels,
    frameSamples: 100,
    periodNs: PERIOD_NS,
    silenceMs: 60_000,
    transport: loopback.transport,
    module: gateway,
    clock: systemClock(),
    random: seededRandom(SEED),
    ...changes,
  });
  for (const [i, row] of rows.entries()) session.push(row, 1_000_000 + (i * PERIOD_NS) / 1000);
  session.flush();
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(cloud.rows.length).toBe(rows.length);
  expect(cloud.badSeals).toBe(0);
  for (const [i, { samples, statuses }] of cloud.rows.entries()) {
    for (const [c, { config }] of (changes.channels ?? channels).entries()) {
      const value = rows[i]?.[c] ?? Number.NaN;
      expect(statuses[c] === 1).toBe(Number.isNaN(value));
      if (!Number.isNaN(value)) expect(Math.abs(toValue(config, samples[c] ?? 0) - value)).toBeLessThanOrEqual(EPS);
    }
  }
  const { payloadBytes } = session.stats();
  await session.close();
  return payloadBytes;
}

describe("a gateway", () => {
  test("sends less the farther it looks ahead, and all of it is confirmed within eps", async () => {
    const rows = readings(3000, 0);
    const none = await run(rows, {});
    expect(await run(rows, { module: compileDeviceModule(device) })).toBe(none);
    const greedy = await run(rows, { lookahead: "greedy" });
    const programme = await run(rows, { lookahead: "programme" });
    expect(greedy).toBeLessThan(0.9 * none);
    expect(programme).toBeLessThan(0.9 * greedy);
  });

  test("sends frames with missing readings as any device does, between frames with lines", async () => {
    const rows = readings(2000, 0.002);
    const none = await run(rows, {});
    expect(await run(rows, { lookahead: "programme" })).toBeLessThan(none);
  });

  test.for([
    ["frames of one sample", 1500, { frameSamples: 1, ringBytes: 300_000 }],
    ["frames of several blocks", 3500, { frameSamples: 3000 }],
    ["messages of 51 bytes", 3500, { mtu: 51, frameSamples: 500 }],
    ["a small ring", 3500, { ringBytes: 8_192, frameSamples: 50 }],
  ] as const)("loses nothing with %s", async ([, count, changes]) => {
    await run(readings(count, 0.0005), { ...changes, lookahead: "programme" });
  });

  test.for(["none", "greedy", "programme"] as const)(
    "loses nothing when a channel leaves its lattice inside a frame: lookahead %s",
    async (lookahead) => {
      const channel = planChannel({ name: "x", eps: EPS, min: -100, max: 100, lattice: 0.04 });
      expect(channel.config.lattice).toBeGreaterThan(1);
      const random = seededRandom(3);
      let level = 0;
      const rows = Array.from({ length: 600 }, (_, i) => {
        level += (random.uint32() % 5) - 2;
        return [0.04 * level + (i > 450 ? 0.017 : 0)];
      });
      await run(rows, { channels: [channel], lookahead });
    },
  );

  test("is refused a lookahead that its module has not, or that its memory cannot hold", async () => {
    await expect(run([], { module: compileDeviceModule(device), lookahead: "greedy" })).rejects.toMatchObject({
      code: "no-lookahead",
    });
    const more = ["a", "b"].map((name) => planChannel({ name, eps: EPS, min: -100, max: 100 }));
    await expect(
      run([], { channels: [...channels, ...more], frameSamples: 65_535, lookahead: "programme" }),
    ).rejects.toMatchObject({
      code: "lookahead-too-large",
    });
  });
});
