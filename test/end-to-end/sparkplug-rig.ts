import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openHistory } from "@lockstep/cloud-node";
import {
  compileDeviceModule,
  DeviceSession,
  planChannel,
  systemClock,
  systemRandom,
  type Transport,
  tcpTransport,
} from "@lockstep/edge-sdk";
import { expect, vi } from "vitest";
import { freePort } from "../faults/broker-process.ts";
import { LockstepProcess } from "./lockstep-process.ts";
import type { SparkplugHost } from "./sparkplug-host.ts";

export const LIMIT_MS = 30_000;
/** Unix time of sample 0: November 2025, a whole millisecond, as are all after it. */
const START_US = 1_763_000_000_000_000;
const PERIOD_US = 10_000;
const MODULE = compileDeviceModule(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));

/** What a device of these tests measures. */
export interface Measured {
  readonly eps: number;
  readonly channels: readonly string[];
}

/** The n-th sample of a signal that no predictor foresees wholly. */
function signalAt(n: number, channels: number): number[] {
  return Array.from(
    { length: channels },
    (_, c) => 3 * Math.sin(n / (9 + 4 * c)) + (((n * 7919 + c * 31) % 997) - 498) / 1_000,
  );
}

/** A device whose samples' times are its own, so that each is found again wherever it comes out. */
export class TracedDevice {
  readonly name: string;
  readonly #session: DeviceSession;
  readonly #measured: Measured;
  readonly #originals: Map<number, number[]>;
  #next: number;

  private constructor(
    name: string,
    session: DeviceSession,
    measured: Measured,
    originals: Map<number, number[]>,
    next: number,
  ) {
    this.name = name;
    this.#session = session;
    this.#measured = measured;
    this.#originals = originals;
    this.#next = next;
  }

  /** Over TCP. @param originals  what was measured, by time in ms; added to. `from`: the number of its first sample */
  static async boot(
    name: string,
    tcpPort: number,
    measured: Measured,
    originals: Map<number, number[]>,
    from: number,
  ): Promise<TracedDevice> {
    const [clock, random] = [systemClock(), systemRandom()];
    const transport = tcpTransport({ url: `tcp://127.0.0.1:${tcpPort}`, clock, random });
    return await TracedDevice.over(name, transport, measured, originals, from);
  }

  /** The same over any transport. */
  static async over(
    name: string,
    transport: Transport,
    measured: Measured,
    originals: Map<number, number[]>,
    from: number,
  ): Promise<TracedDevice> {
    const session = await DeviceSession.open({
      device: name,
      transport,
      channels: measured.channels.map((channel) =>
        planChannel({ name: channel, unit: "mm", eps: measured.eps, min: -16, max: 16 }),
      ),
      frameSamples: 20,
      periodNs: PERIOD_US * 1_000,
      silenceMs: 2_000,
      module: MODULE,
      clock: systemClock(),
      random: systemRandom(),
    });
    return new TracedDevice(name, session, measured, originals, from);
  }

  /** Measure, send, and wait until the node has it all. */
  async measure(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1, this.#next += 1) {
      const values = signalAt(this.#next, this.#measured.channels.length);
      const timeUs = START_US + this.#next * PERIOD_US;
      this.#session.push(values, timeUs);
      this.#originals.set(timeUs / 1_000, values);
    }
    this.#session.flush();
    expect(await this.#session.drained(LIMIT_MS)).toBe(true);
  }

  get next(): number {
    return this.#next;
  }

  async off(): Promise<void> {
    await this.#session.close();
  }
}

/** A node as a person starts it, at the same ports from start to start. */
export class RepublishingNode {
  readonly store: string;
  readonly tcpPort: number;
  readonly mqttPort: number;
  readonly #options: readonly string[];
  #process: LockstepProcess | undefined;
  http = "";

  private constructor(folder: string, tcpPort: number, mqttPort: number, options: readonly string[]) {
    this.store = join(folder, "node.db");
    this.tcpPort = tcpPort;
    this.mqttPort = mqttPort;
    this.#options = options;
  }

  static async create(folder: string, ...options: string[]): Promise<RepublishingNode> {
    return new RepublishingNode(folder, await freePort(), await freePort(), options);
  }

  async start(): Promise<void> {
    const ports = ["--tcp", String(this.tcpPort), "--mqtt-port", String(this.mqttPort), "--http", "0"];
    const pace = ["--ack-every", "1", "--ack-age", "50", "--republish-every", "50"];
    this.#process = new LockstepProcess("serve", "--store", this.store, ...ports, ...pace, ...this.#options);
    const line = await this.#process.said(/\{.*"msg":"listening"\}/);
    this.http = (JSON.parse(line) as { readonly http: string }).http;
  }

  async stop(): Promise<void> {
    await this.#process?.interrupted();
  }

  async kill(): Promise<void> {
    this.#process?.child.kill("SIGKILL");
    await this.#process?.finished();
  }

  /** The value of a metric of Prometheus. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.http}/metrics`)).text();
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    return Number(line?.split(" ").at(-1) ?? Number.NaN);
  }
}

/** Wait until something holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(holds(), what).toBe(true), { timeout: LIMIT_MS, interval: 20 });
}

/** Ask for births until they come: what is asked while the node is not there yet is heard by nobody. */
export async function bornAgain(host: SparkplugHost, devices: number): Promise<void> {
  const [before, asked] = [host.messages.length, { atMs: Number.NEGATIVE_INFINITY }];
  await until("births came", () => {
    if (performance.now() > asked.atMs + 2_000) {
      asked.atMs = performance.now();
      host.say("rebirth lockstep lockstep");
    }
    const since = host.messages.slice(before);
    const birth = since.findLastIndex(({ verb }) => verb === "NBIRTH");
    return birth >= 0 && since.slice(birth).filter(({ verb }) => verb === "DBIRTH").length === devices;
  });
}

/** Everything that the store has of a device was told, to the last bit, and within eps of what was measured. */
export async function expectTold(
  host: SparkplugHost,
  store: string,
  device: string,
  originals: ReadonlyMap<number, readonly number[]>,
  eps: number,
): Promise<void> {
  const history = await openHistory(store);
  const names = new Map(
    history.epochs(device).map(({ epoch }) => [epoch, history.birth(device, epoch).channels.map(({ name }) => name)]),
  );
  const told = host.values(device);
  let rows = 0;
  for (const { epoch, timeUs, values } of history.samples(device)) {
    rows += 1;
    const row = told.get(timeUs / 1_000);
    for (const [c, name] of (names.get(epoch) ?? []).entries()) {
      expect(row?.get(name)?.value, `${device} ${epoch} ${timeUs} ${name}`).toBe(values[c]);
      expect(
        Math.abs((values[c] ?? Number.NaN) - (originals.get(timeUs / 1_000)?.[c] ?? Number.NaN)),
      ).toBeLessThanOrEqual(eps);
    }
  }
  history.close();
  expect(rows).toBe(originals.size);
  expect(told.size).toBe(rows);
}
