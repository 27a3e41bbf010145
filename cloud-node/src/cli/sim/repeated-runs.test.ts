import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { compileDeviceModule, Loopback, type RandomSource, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { createSignal, SimulatedDevice, seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openHistory } from "../../history/history.ts";
import { SILENT_LOGGER } from "../../logger.ts";
import { CloudNode } from "../../node.ts";
import { runCommandLine } from "../command-line.ts";
import { EdgeHost } from "../demo/edge-host.ts";
import { shippedDeviceModule } from "../device-module.ts";

/** All runs of these tests draw their signals from the same one. */
const SEED = 1;
/** The second run ends earlier than the first, whose confirmations reach beyond its last frame. */
const DURATIONS_S = [0.6, 0.3];
const LIMIT_MS = 20_000;

/** One device's samples of one run, as the run itself counts them. */
interface Told {
  readonly id: string;
  readonly samples: number;
  readonly confirmed: number;
  readonly payloadBytes: number;
}

let folder = "";
let node: CloudNode;
let births = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-runs-"));
  const [clock, logger] = [systemClock(), SILENT_LOGGER];
  const acks = { everyFrames: 4, ageMs: 50 };
  const doors = { broker: null, tcpPort: 0, tcpHost: "127.0.0.1" };
  node = await CloudNode.open({ storeFile: storeFile(), ...doors, acks, clock, logger });
  births = 0;
  node.onEvent((event) => {
    if (event.kind === "born") births += event.isNewEpoch ? 1 : 0;
  });
});

afterEach(async () => {
  await node.close();
  rmSync(folder, { recursive: true });
});

const storeFile = () => join(folder, "store.db");
const url = () => `tcp://127.0.0.1:${node.tcpPort}`;

/** Every sample of every run is stored, under a boot of its own, and none was confirmed before it was sent. */
async function expectAllStored(runs: readonly (readonly Told[])[]): Promise<void> {
  const told = runs.flat();
  for (const { samples, confirmed, payloadBytes } of told) {
    expect(samples).toBeGreaterThan(0);
    expect(confirmed).toBe(samples);
    expect(payloadBytes).toBeGreaterThan(0);
  }
  expect(births).toBe(told.length);
  await node.close();
  const history = await openHistory(storeFile());
  try {
    for (const id of new Set(told.map((device) => device.id))) {
      const expected = told.filter((device) => device.id === id).map(({ samples }) => samples);
      const stored = new Map<number, number>();
      for (const { epoch } of history.samples(id)) stored.set(epoch, (stored.get(epoch) ?? 0) + 1);
      expect([...stored.values()], id).toEqual(expected);
    }
  } finally {
    history.close();
  }
}

async function runCommand(args: readonly string[]): Promise<Told[]> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const code = await runCommandLine({
    ...{ args, env: {}, stdin, stdout, stderr, clock: systemClock(), random: systemRandom() },
    interrupt: new AbortController().signal,
  });
  expect(code, String(stderr.read())).toBe(0);
  return JSON.parse(String(stdout.read())).devices;
}

test.each([[["rotor"]], [["recorded", "imu", "--rel", "0.01"]], [["fleet", "--count", "3", "--rate", "50"]]])(
  "a second `lockstep sim %j` of the same seed is stored beside the first",
  async (command) => {
    const runs: Told[][] = [];
    for (const duration of DURATIONS_S) {
      const options = ["--to", url(), "--seed", String(SEED), "--frame-samples", "10", "--duration", String(duration)];
      runs.push(await runCommand(["sim", ...command, ...options, "--json"]));
    }
    await expectAllStored(runs);
  },
);

test("a second demo of the same seed is stored beside the first", async () => {
  const runs: (readonly Told[])[] = [];
  for (const duration of DURATIONS_S) {
    const edge = await EdgeHost.start({ url: url(), group: "lockstep", seed: SEED }, () => {});
    try {
      await new Promise((resolve) => setTimeout(resolve, 1000 * duration));
      runs.push((await edge.stop()).devices);
    } finally {
      await edge.close();
    }
  }
  await expectAllStored(runs);
});

test.each<[string, () => RandomSource]>([
  ["the operating system", systemRandom],
  ["one seed, for all boots together", () => seededRandom(SEED)],
])("two devices with the same signal in one process are two boots, with nonces of %s", async (_, source) => {
  const nonces = source();
  const module = compileDeviceModule(shippedDeviceModule().bytes);
  const runs: Told[][] = [];
  for (const samples of [60, 30]) {
    const device = new SimulatedDevice({
      id: "rotor-1",
      signal: createSignal({ name: "rotor" }, seededRandom(SEED)),
      eps: { abs: 0.05 },
      frameSamples: 10,
      silenceMs: 1000,
      startUs: 1_700_000_000_000_000,
      connect() {
        const loopback = new Loopback();
        node.attach(loopback);
        return loopback.transport;
      },
      module,
      clock: systemClock(),
      nonces,
    });
    await device.powerOn();
    device.advanceTo(samples);
    device.flush();
    expect(await device.settled(0, LIMIT_MS)).toBe(true);
    runs.push([device.summary()]);
    await device.close();
  }
  await expectAllStored(runs);
});
