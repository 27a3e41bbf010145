import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { decodeFrame, toValue } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RawCloud } from "./raw-cloud.ts";
import { DEVICE_WASM } from "./raw-device.ts";

/** A gateway looks ahead; the cloud, which decodes with `device.wasm`, need not know. */
const EPS = 0.05;
const PERIOD_NS = 10_000_000;
const WAIT_MS = 20_000;
const SEED = 5;
const device = readFileSync(DEVICE_WASM);
const gateway = compileGatewayModule(readFileSync(new URL("gateway.wasm", DEVICE_WASM)), device);
const channels = plansOf(3);

function plansOf(count: number): ChannelPlan[] {
  return Array.from({ length: count }, (_, c) => planChannel({ name: `c${c}`, eps: EPS, min: -100, max: 100 }));
}

interface Readings {
  /** Part of them that is missing. */
  readonly missing?: number;
  readonly width?: number;
  /** Noise of the last channel, beside the half of eps that all have. */
  readonly noise?: number;
}

/** Levels and ramps with noise inside the bound, now and then a reading that is missing. */
function readings(count: number, { missing = 0, width = channels.length, noise = 0 }: Readings = {}): number[][] {
  const random = seededRandom(SEED);
  const uniform = () => random.uint32() / 2 ** 32;
  const level = Array.from({ length: width }, () => 0);
  const slope = level.slice();
  return Array.from({ length: count }, () =>
    level.map((_, c) => {
      if (uniform() < 0.02) slope[c] = uniform() < 0.5 ? 0 : (uniform() - 0.5) / 5;
      level[c] = (level[c] ?? 0) + (slope[c] ?? 0);
      if (uniform() < missing) return Number.NaN;
      return (level[c] ?? 0) + (uniform() - 0.5) * EPS + (c === width - 1 ? (uniform() - 0.5) * noise : 0);
    }),
  );
}

/** A far end that counts frames with lines. */
class WatchingCloud extends RawCloud {
  keyframesWithLines = 0;
  residualsWithLines = 0;
  linesInFragments = 0;
  #isReassembling = false;

  override take(bytes: Uint8Array): Uint8Array[] {
    const frame = decodeFrame(bytes);
    if (frame.kind === "keyframe" || frame.kind === "residual") {
      if (frame.kind === "keyframe") this.keyframesWithLines += Number(frame.hasLines);
      else this.residualsWithLines += Number(frame.hasLines);
      this.linesInFragments += Number(this.#isReassembling && frame.hasLines);
    }
    this.#isReassembling = frame.kind === "fragment";
    const answers = super.take(bytes);
    this.#isReassembling = false;
    return answers;
  }
}

/** Let a far end answer, and acknowledge every message at once. */
function serve(loopback: Loopback, cloud: RawCloud): void {
  loopback.listen({
    connected() {},
    disconnected() {},
    message(bytes) {
      for (const answer of cloud.take(bytes)) loopback.send(answer);
      if (cloud.birth !== undefined) loopback.send(cloud.ackAll());
    },
  });
}

function open(loopback: Loopback, changes: Partial<DeviceSessionOptions>): Promise<DeviceSession> {
  return DeviceSession.open({
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
}

function push(session: DeviceSession, rows: readonly number[][]): void {
  for (const [i, row] of rows.entries()) session.push(row, 1_000_000 + (i * PERIOD_NS) / 1000);
}

async function drain(session: DeviceSession): Promise<void> {
  session.flush();
  expect(await session.drained(WAIT_MS)).toBe(true);
}

/** Check that these rows, and no others, were decoded and proved. */
function expectRows(cloud: RawCloud, rows: readonly number[][], plans: readonly ChannelPlan[] = channels): void {
  expect(cloud.rows.length).toBe(rows.length);
  expect(cloud.badSeals).toBe(0);
  for (const [i, { samples, statuses }] of cloud.rows.entries()) {
    for (const [c, { config }] of plans.entries()) {
      const value = rows[i]?.[c] ?? Number.NaN;
      expect(statuses[c] === 1).toBe(Number.isNaN(value));
      if (!Number.isNaN(value)) expect(Math.abs(toValue(config, samples[c] ?? 0) - value)).toBeLessThanOrEqual(EPS);
    }
  }
}

/** Push readings through a session and a loopback, and check what arrives. @returns bytes of payload */
async function run(rows: readonly number[][], changes: Partial<DeviceSessionOptions>, cloud = new WatchingCloud()) {
  const loopback = new Loopback();
  serve(loopback, cloud);
  const session = await open(loopback, changes);
  push(session, rows);
  await drain(session);
  expectRows(cloud, rows, changes.channels);
  const { payloadBytes } = session.stats();
  await session.close();
  return payloadBytes;
}

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-gateway-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a gateway", () => {
  test("sends less the farther it looks ahead, and all of it is confirmed within eps", async () => {
    const rows = readings(3000);
    const none = await run(rows, {});
    expect(await run(rows, { module: compileDeviceModule(device) })).toBe(none);
    const greedy = await run(rows, { lookahead: "greedy" });
    const programme = await run(rows, { lookahead: "programme" });
    expect(greedy).toBeLessThan(0.9 * none);
    expect(programme).toBeLessThan(0.9 * greedy);
  });

  test("sends frames with missing readings as any device does, between frames with lines", async () => {
    const rows = readings(2000, { missing: 0.002 });
    const none = await run(rows, {});
    expect(await run(rows, { lookahead: "programme" })).toBeLessThan(none);
  });

  test.for([
    ["frames of one sample", 1500, { frameSamples: 1, ringBytes: 300_000 }],
    ["frames of several blocks", 3500, { frameSamples: 3000 }],
    ["messages of 51 bytes", 3500, { mtu: 51, frameSamples: 500 }],
    ["a small ring", 3500, { ringBytes: 8_192, frameSamples: 50 }],
  ] as const)("loses nothing with %s", async ([, count, changes]) => {
    await run(readings(count, { missing: 0.0005 }), { ...changes, lookahead: "programme" });
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

  test.for([
    [1, "greedy"],
    [1, "programme"],
    [2, "programme"],
    [3, "greedy"],
    [16, "greedy"],
    [16, "programme"],
  ] as const)("with %i channels draws lines and loses nothing: lookahead %s", async ([width, lookahead]) => {
    const cloud = new WatchingCloud();
    await run(readings(1500, { width, missing: 0.0002 }), { channels: plansOf(width), lookahead }, cloud);
    expect(cloud.residualsWithLines).toBeGreaterThan(0);
  });

  test("that is asked for a keyframe inside a frame gives up that frame alone, and draws lines on", async () => {
    const [loopback, cloud] = [new Loopback(), new WatchingCloud()];
    serve(loopback, cloud);
    const session = await open(loopback, { lookahead: "programme" });
    const rows = readings(1000, { noise: 0.5 });
    push(session, rows.slice(0, 250));
    expect(await session.settled(0, WAIT_MS)).toBe(true);
    expect(session.stats()).toMatchObject({ nextSeq: 2, pendingSamples: 50 });
    loopback.send(cloud.resync(2));
    for (let turns = 0; session.stats().nextSeq === 2 && turns < 1000; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The frame in hand was closed, and what follows starts afresh
    expect(session.stats()).toMatchObject({ nextSeq: 3, pendingSamples: 0 });
    const before = cloud.residualsWithLines;
    push(session, rows.slice(250));
    await drain(session);
    expect(cloud.kinds).toMatchObject({ keyframe: 2 });
    expect(cloud.gaps).toEqual([{ epoch: 1, from: 2, through: 3 }]);
    expectRows(cloud, [...rows.slice(0, 200), ...rows.slice(250)]);
    expect(cloud.residualsWithLines).toBeGreaterThan(before);
    await session.close();
  });

  test.for(["greedy", "programme"] as const)(
    "whose ring overflowed says what is gone, and loses no more: lookahead %s",
    async (lookahead) => {
      const [loopback, cloud] = [new Loopback(), new WatchingCloud()];
      const session = await open(loopback, { lookahead, ringBytes: 3_000, frameSamples: 40 });
      const rows = readings(6000, { noise: 20 });
      push(session, rows.slice(0, 5000));
      const { evictedSamples } = session.stats();
      expect(evictedSamples).toBeGreaterThan(1000);
      serve(loopback, cloud);
      await drain(session);
      push(session, rows.slice(5000, 5300));
      await drain(session);
      expect(session.stats().evictedSamples).toBe(evictedSamples);
      expectRows(cloud, rows.slice(evictedSamples, 5300));
      expect(cloud.gaps.length).toBe(1);
      expect(cloud.keyframesWithLines + cloud.residualsWithLines).toBeGreaterThan(0);
      await session.close();
    },
  );

  test.for([4, 16])("sends frames with lines in fragments where a message is short: %i channels", async (width) => {
    const cloud = new WatchingCloud();
    const options = { channels: plansOf(width), mtu: 51, ringBytes: 16_384, lookahead: "programme" } as const;
    await run(readings(2500, { width, noise: 3 }), options, cloud);
    expect(cloud.kinds.birth).toBe(1);
    expect(cloud.linesInFragments).toBeGreaterThan(0);
    expect(cloud.residualsWithLines).toBeGreaterThan(cloud.linesInFragments);
  });

  test.for([
    ["a gateway", gateway, "programme"],
    ["a device without a lookahead", compileDeviceModule(device), "none"],
  ] as const)("that restarts as %s sends what its ring kept, lines included", async ([, module, lookahead]) => {
    const options = { ringFile: join(folder, "ring"), ringBytes: 16_384 };
    const rows = readings(1500, { noise: 1 });
    const first = await open(new Loopback(), { ...options, lookahead: "programme" });
    push(first, rows.slice(0, 730));
    const { pendingSamples, nextSeq } = first.stats();
    expect(pendingSamples).toBe(30);
    await first.destroy();

    const [loopback, cloud] = [new Loopback(), new WatchingCloud()];
    serve(loopback, cloud);
    const second = await open(loopback, { ...options, module, lookahead, random: seededRandom(SEED + 1) });
    expect(second.stats().adoptedFrames).toBe(nextSeq);
    await drain(second);
    expect(cloud.keyframesWithLines + cloud.residualsWithLines).toBeGreaterThan(0);
    push(second, rows.slice(730));
    await drain(second);
    expectRows(cloud, [...rows.slice(0, 700), ...rows.slice(730)]);
    expect(cloud.gaps).toEqual([]);
    await second.close();
  });

  test("is refused a lookahead that there is none of, and told the choices", async () => {
    for (const module of [gateway, compileDeviceModule(device)]) {
      for (const lookahead of ["bogus", "", "Greedy", 1, null] as unknown as "none"[]) {
        await expect(run([], { module, lookahead })).rejects.toMatchObject({
          name: "SessionError",
          code: "unknown-lookahead",
          message: `device session: there is no lookahead "${lookahead}": choose none, greedy or programme`,
        });
      }
    }
  });

  test("compiled without one of its modules is refused, naming that one", () => {
    const compile = compileGatewayModule as (...given: unknown[]) => unknown;
    const bytes = readFileSync(new URL("gateway.wasm", DEVICE_WASM));
    for (const [given, missing] of [
      [[], "gateway.wasm"],
      [[undefined, device], "gateway.wasm"],
      [[bytes], "device.wasm"],
      [[bytes, "device.wasm"], "device.wasm"],
    ] as const) {
      expect(() => compile(...given)).toThrow(
        expect.objectContaining({
          name: "ModuleError",
          code: "missing-bytes",
          message: `module: the bytes of ${missing} are missing: call compileGatewayModule(gateway, device) with a Uint8Array`,
        }),
      );
    }
    expect(() => (compileDeviceModule as (...given: unknown[]) => unknown)()).toThrow(
      expect.objectContaining({ code: "missing-bytes" }),
    );
  });

  test("is refused a lookahead that its module has not, or that its memory cannot hold", async () => {
    await expect(run([], { module: compileDeviceModule(device), lookahead: "greedy" })).rejects.toMatchObject({
      code: "no-lookahead",
    });
    await expect(run([], { channels: plansOf(5), frameSamples: 65_535, lookahead: "programme" })).rejects.toMatchObject(
      {
        code: "lookahead-too-large",
      },
    );
  });
});
