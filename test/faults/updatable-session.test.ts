import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ChannelPlan,
  compileDeviceModule,
  fileUpdateStore,
  Loopback,
  memoryUpdateStore,
  planChannel,
  systemClock,
  type Transport,
  tcpTransport,
  UpdatableSession,
  type UpdatableSessionOptions,
  type UpdateStore,
} from "@lockstep/edge-sdk";
import { encodeStreamFrame, FLASH_VERDICTS, parseVersion, StreamDeframer, toValue } from "@lockstep/protocol";
import { createSignal, type SignalReader, SimulatedDevice, seededRandom } from "@lockstep/sim";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { DEVICE_WASM, variantOfDevice } from "./module-variants.ts";
import { ed25519Key, packageOf, type UpdatePackage } from "./update-package.ts";
import { UPDATE_WASM } from "./update-rig.ts";
import { UpdatingCloud } from "./updating-cloud.ts";

const EPS = 0.05;
const PERIOD_NS = 10_000_000;
const WAIT_MS = 60_000;
/** Rows, a millisecond apart or more, after which what is waited for does not come. */
const ROWS_MAX = 60_000;
const KEY = ed25519Key(9);
const FIRST = parseVersion("1.0.0") ?? 0;
const channels: ChannelPlan[] = ["x", "y", "z", "rx", "ry", "rz"].map((name) =>
  planChannel({ name, eps: EPS, min: -2, max: 2 }),
);
let updates: UpdatePackage[];
let trapping: UpdatePackage;
let folder: string;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  const variants = await Promise.all([1, 2, 3].map((name) => variantOfDevice({ name })));
  updates = variants.map((wasm, i) => packageOf(wasm, FIRST + 1 + i, KEY));
  trapping = packageOf(await variantOfDevice({ name: 9, trapsAt: 5 }), FIRST + 9, KEY);
}, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-update-"));
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(folder, { recursive: true });
});

test.for(["loopback", "tcp"] as const)(
  "three switches while samples flow over %s: every sample is confirmed, in order and within eps",
  { timeout: 180_000 },
  async (link) => {
    const cloud = new UpdatingCloud();
    const line = link === "loopback" ? overLoopback(cloud) : await overTcp(cloud);
    const source = await openDevice({ connect: line.connect });
    for (const update of updates) {
      line.say(cloud.want(update));
      await source.run(() => cloud.isDone);
      expect(source.session.running).toMatchObject({ version: update.version, isTrying: false });
    }
    await source.drain();
    expect(new Set(cloud.models).size).toBe(4);
    expectAll(cloud, source.truth);
    expect(source.session.stats()).toMatchObject({
      samples: source.truth.length,
      unconfirmedFrames: 0,
      evictedSamples: 0,
    });
  },
);

test("a module that traps in its fifth sample gives way: no sample is lost, and the device streams on", {
  timeout: 180_000,
}, async () => {
  const cloud = new UpdatingCloud();
  const line = overLoopback(cloud);
  const source = await openDevice({ connect: line.connect });
  await source.run(() => cloud.raw.rows.length > 100);
  line.say(cloud.want(trapping));
  await source.run(() => cloud.hasFailed);
  expect(FLASH_VERDICTS[cloud.states.at(-1)?.verdict ?? 0]).toBe("trapped");
  expect(source.session.running).toMatchObject({ version: FIRST, isTrying: false });
  const before = cloud.raw.rows.length;
  await source.run(() => cloud.raw.rows.length > before + 100);
  await source.drain();
  // The four samples that stood in the open frame of what trapped are gone, as they are with the power; none that was confirmed.
  expect(source.truth.length - cloud.raw.rows.length).toBe(4);
  expect(source.session.stats().evictedSamples).toBe(4);
});

test("a module that nobody confirms goes back in time, with every sample", { timeout: 180_000 }, async () => {
  const cloud = new UpdatingCloud();
  cloud.isConfirming = false;
  const line = overLoopback(cloud);
  const source = await openDevice({ connect: line.connect }, { confirmMs: 1000 });
  line.say(cloud.want(updates[0] as UpdatePackage));
  await source.run(() => cloud.hasFailed);
  expect(FLASH_VERDICTS[cloud.states.at(-1)?.verdict ?? 0]).toBe("not-confirmed");
  expect(source.session.running).toMatchObject({ version: FIRST, isTrying: false });
  await source.drain();
  expectAll(cloud, source.truth);
});

test("frames that a full ring dropped are not taken for acknowledged: the module stays on trial", {
  timeout: 180_000,
}, async () => {
  const cloud = new UpdatingCloud();
  cloud.acknowledgedBoots = 1;
  const line = overLoopback(cloud);
  const source = await openDevice({ connect: line.connect, ringBytes: 4096 });
  line.say(cloud.want(updates[0] as UpdatePackage));
  await source.run(() => cloud.models.length === 2 && source.session.stats().evictedSamples > 0);
  const { length } = cloud.states;
  await source.run(() => cloud.states.length >= length + 5);
  expect(source.session.running.isTrying).toBe(true);
});

test("a device that is killed at any moment of an update comes back with its slots and its rings", {
  timeout: 180_000,
}, async () => {
  const cloud = new UpdatingCloud();
  const update = updates[0] as UpdatePackage;
  let kept = 0;
  for (let kill = 0; kill < 12 && !cloud.isDone; kill++) {
    const line = overLoopback(cloud);
    const store = fileUpdateStore(join(folder, "slots"));
    const source = await openDevice({ connect: line.connect, ringFolder: folder }, { store });
    await source.run(() => cloud.states.length > 0);
    line.say(cloud.want(update));
    const from = source.truth.length;
    await source.run(() => source.truth.length > from + 40 + 10 * kill || cloud.isDone);
    kept += source.truth.length;
    await source.session.destroy();
  }
  expect(cloud.isDone).toBe(true);
  const line = overLoopback(cloud);
  const source = await openDevice(
    { connect: line.connect, ringFolder: folder },
    { store: fileUpdateStore(join(folder, "slots")) },
  );
  expect(source.session.running).toMatchObject({ version: update.version, isTrying: false });
  await source.drain();
  expect(cloud.raw.gaps).toEqual([]);
  expect(cloud.raw.badSeals).toBe(0);
  expect(kept).toBeGreaterThan(0);
  expect(readdirSync(folder).filter((name) => name.startsWith("ring-")).length).toBe(1);
});

test("a simulated device is updated while it streams, and its ledger has every sample confirmed", {
  timeout: 180_000,
}, async () => {
  const cloud = new UpdatingCloud();
  const line = overLoopback(cloud);
  const device = new SimulatedDevice({
    id: "dev",
    signal: createSignal({ name: "rotor" }, seededRandom(5)),
    eps: { abs: EPS },
    frameSamples: 5,
    silenceMs: 60_000,
    startUs: 1_000_000,
    connect: line.connect,
    module: compileDeviceModule(DEVICE_WASM),
    updates: { machine: UPDATE_WASM, keys: [KEY.trusted], builtIn: { wasm: DEVICE_WASM, version: FIRST } },
    clock: systemClock(),
    nonces: seededRandom(8),
  });
  await device.powerOn();
  ends.push(() => device.close());
  line.say(cloud.want(updates[0] as UpdatePackage));
  for (let taken = 5; !cloud.isDone && taken < 20_000; taken += 5) {
    device.advanceTo(taken);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  device.flush();
  expect(cloud.isDone).toBe(true);
  expect(await device.settled(0, WAIT_MS)).toBe(true);
  const { samples, confirmed, evicted, unsaved, unconfirmedFrames } = device.summary();
  expect({ confirmed, evicted, unsaved, unconfirmedFrames }).toEqual({
    confirmed: samples,
    evicted: 0,
    unsaved: 0,
    unconfirmedFrames: 0,
  });
  expect(cloud.raw.rows.length).toBe(samples);
});

interface Source {
  readonly session: UpdatableSession;
  readonly truth: number[][];
  run(isMet: () => boolean): Promise<void>;
  drain(): Promise<void>;
}

/** Devices so far: each boots with nonces of its own. */
let opened = 0;

async function openDevice(
  changes: Pick<UpdatableSessionOptions, "connect"> & Partial<UpdatableSessionOptions>,
  update: { store?: UpdateStore; confirmMs?: number } = {},
): Promise<Source> {
  const { store = memoryUpdateStore(), confirmMs } = update;
  const session = await UpdatableSession.open({
    device: "dev",
    channels,
    frameSamples: 5,
    periodNs: PERIOD_NS,
    silenceMs: 60_000,
    clock: systemClock(),
    random: seededRandom(++opened),
    update: {
      machine: UPDATE_WASM,
      store,
      keys: [KEY.trusted],
      builtIn: { wasm: DEVICE_WASM, version: FIRST },
      confirmMs,
    },
    ...changes,
  });
  ends.push(() => session.destroy());
  return sourceOf(session, createSignal({ name: "rotor" }, seededRandom(5)).read());
}

function sourceOf(session: UpdatableSession, reader: SignalReader): Source {
  const truth: number[][] = [];
  const row = new Float64Array(6);
  return {
    session,
    truth,
    async run(isMet) {
      for (let left = ROWS_MAX; !isMet(); left--) {
        expect(left, "rows left").toBeGreaterThan(0);
        reader.next(row);
        session.push(row, 1_000_000 + (truth.length * PERIOD_NS) / 1000);
        truth.push([...row]);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
    async drain() {
      session.flush();
      expect(await session.drained(WAIT_MS)).toBe(true);
    },
  };
}

function expectAll(cloud: UpdatingCloud, truth: readonly number[][]): void {
  expect(cloud.raw.gaps).toEqual([]);
  expect(cloud.raw.badSeals).toBe(0);
  expect(cloud.raw.rows.length).toBe(truth.length);
  for (const [i, { samples }] of cloud.raw.rows.entries()) {
    for (const [c, { config }] of channels.entries()) {
      const error = Math.abs(toValue(config, samples[c] ?? 0) - (truth[i]?.[c] ?? Number.NaN));
      expect(error, `row ${i}`).toBeLessThanOrEqual(EPS);
    }
  }
}

function overLoopback(cloud: UpdatingCloud) {
  let newest: Loopback | undefined;
  return {
    connect(): Transport {
      const loopback = new Loopback();
      newest = loopback;
      loopback.listen({
        connected() {},
        disconnected() {},
        message(bytes) {
          for (const answer of cloud.take(bytes)) loopback.send(answer);
        },
      });
      return loopback.transport;
    },
    say: (bytes: Uint8Array) => newest?.send(bytes),
  };
}

async function overTcp(cloud: UpdatingCloud) {
  let say: (bytes: Uint8Array) => unknown = () => {};
  const server: Server = createServer((socket) => {
    const deframer = new StreamDeframer();
    say = (bytes) => socket.write(encodeStreamFrame(bytes));
    socket.on("error", () => {});
    socket.on("data", (data) => {
      for (const bytes of deframer.push(data))
        for (const answer of cloud.take(bytes)) socket.write(encodeStreamFrame(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const clock = systemClock();
  return {
    connect: () => tcpTransport({ url: `tcp://127.0.0.1:${port}`, clock, random: seededRandom(3) }),
    say: (bytes: Uint8Array) => say(bytes),
  };
}
