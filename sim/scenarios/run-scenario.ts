import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type DeviceModule, sleep } from "@lockstep/edge-sdk";
import { FirmwareDevice } from "../firmware/firmware-device.ts";
import type { Endpoint } from "../fleet/device-transport.ts";
import { createFleet, type DevicePlan, deviceNames } from "../fleet/fleet.ts";
import { checkHistory, type HistoryRow } from "../fleet/history-check.ts";
import { paceInRealTime } from "../fleet/pacing.ts";
import type { SimulatedDevice } from "../fleet/simulated-device.ts";
import { ByteStreamProxy } from "../links/byte-stream-proxy.ts";
import { seededRandom } from "../seeded-random.ts";
import type { Scenario, ScenarioEvent, SignalDevice } from "./scenario.ts";
import { checkOutcomes, type DeviceOutcome, type ScenarioCheck } from "./scenario-checks.ts";

/** What a store holds of one device. */
export interface StoredDevice {
  /** In order of (epoch, index). */
  readonly rows: Iterable<HistoryRow>;
  /** Samples declared lost. */
  readonly declaredLost: number;
}

/**
 * A cloud node as a scenario needs it: a process that can be killed, and a store that can be read afterwards. The store is
 * empty before the first start: a run's nonces come from its seed, and a store that knew them would take it for an earlier
 * run.
 */
export interface ScenarioNode {
  /**
   * Start it, or start it again on the same ports and the same store.
   *
   * @param serialLines  where it finds its serial lines, as `lockstep serve --serial` takes them; the same every time
   */
  start(serialLines: readonly string[]): Promise<void>;
  /** End it at once, as `kill -9` does. */
  kill(): Promise<void>;
  /** End it in good order. */
  stop(): Promise<void>;
  /** Where devices reach it; the same after every start. */
  endpoint(transport: "mqtt" | "tcp"): Endpoint;
  /** What is stored of a device, read when the node has been stopped; undefined when it was never heard of. */
  read(device: string): Promise<StoredDevice | undefined>;
}

export interface ScenarioSurroundings {
  readonly node: ScenarioNode;
  readonly module: DeviceModule;
  /** For devices that look ahead. */
  readonly gateway?: DeviceModule | undefined;
  readonly clock: Clock;
  /** An empty folder for the rings of devices that keep them, and for lines: a short path, because sockets lie in it. */
  readonly folder: string;
  /** Where built firmware is kept from run to run. */
  readonly cacheFolder: string;
  /** Told what happens, in words. */
  readonly onProgress?: ((event: { readonly atS: number; readonly text: string }) => void) | undefined;
}

export interface ScenarioReport {
  readonly name: string;
  readonly seed: number;
  readonly held: boolean;
  readonly checks: readonly ScenarioCheck[];
  readonly devices: readonly DeviceOutcome[];
}

/**
 * Run a scenario in real time against a node, and compare what is stored in the end with what the devices measured.
 *
 * @throws what the node throws; whatever was opened is closed before
 */
export async function runScenario(scenario: Scenario, surroundings: ScenarioSurroundings): Promise<ScenarioReport> {
  const run = new ScenarioRun(scenario, surroundings);
  try {
    await run.play();
  } finally {
    await run.close();
  }
  const devices: DeviceOutcome[] = [];
  for (const device of run.devices) devices.push(await run.outcome(device));
  for (const device of run.firmware) devices.push(await run.firmwareOutcome(device));
  const checks = [...checkOutcomes(scenario.expect, devices), ...run.failures];
  return { name: scenario.name, seed: scenario.seed, held: checks.every(({ held }) => held), checks, devices };
}

class ScenarioRun {
  devices: SimulatedDevice[] = [];
  readonly firmware: readonly FirmwareDevice[];
  readonly failures: ScenarioCheck[] = [];
  readonly #scenario: Scenario;
  readonly #surroundings: ScenarioSurroundings;
  readonly #settled = new Set<SimulatedDevice | FirmwareDevice>();
  readonly #proxies = new Map<string, ByteStreamProxy>();
  readonly #startMs: number;

  constructor(scenario: Scenario, surroundings: ScenarioSurroundings) {
    this.#scenario = scenario;
    this.#surroundings = surroundings;
    this.#startMs = surroundings.clock.nowMs();
    this.firmware = this.#createFirmware();
  }

  async play(): Promise<void> {
    const { clock } = this.#surroundings;
    const { durationS, settleS, events } = this.#scenario;
    await this.#buildFirmware();
    await this.#startNode();
    await this.#openProxies();
    this.devices = this.#createDevices();
    await Promise.all([...this.devices, ...this.firmware].map((device) => device.powerOn()));
    this.#tell(`${countOf(this.devices.length + this.firmware.length)} on`);
    const pace = paceInRealTime(this.devices, clock, (device, error) => this.#failed(device, error));
    try {
      await Promise.all([sleep(clock, durationS * 1000), ...events.map((event) => this.#happen(event))]);
    } finally {
      pace.stop();
    }
    for (const device of this.devices) device.flush();
    this.#tell("the last sample was taken");
    await Promise.all([
      ...this.devices.map((device) => this.#settle(device, () => device.settled(0, settleS * 1000))),
      ...this.firmware.map((device) => this.#settle(device, () => device.settled(settleS * 1000))),
    ]);
    this.#tell(`everything confirmed of ${countOf(this.#settled.size)}`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.devices, ...this.firmware].map((device) => device.close()));
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
    await this.#surroundings.node.stop();
  }

  async outcome(device: SimulatedDevice): Promise<DeviceOutcome> {
    const stored = await this.#surroundings.node.read(device.id);
    const { samples, ...verdict } = checkHistory(device, stored?.rows ?? []);
    return {
      ...device.summary(),
      ...verdict,
      stored: samples,
      declaredLost: stored?.declaredLost ?? 0,
      hasSettled: this.#settled.has(device),
    };
  }

  async firmwareOutcome(device: FirmwareDevice): Promise<DeviceOutcome> {
    const stored = await this.#surroundings.node.read(device.id);
    return {
      ...device.outcome(stored?.rows ?? []),
      declaredLost: stored?.declaredLost ?? 0,
      hasSettled: this.#settled.has(device),
    };
  }

  #createFirmware(): FirmwareDevice[] {
    const { folder, cacheFolder, clock } = this.#surroundings;
    const random = seededRandom(this.#scenario.seed);
    return this.#scenario.devices.flatMap((plan, i) => {
      if (plan.firmware === undefined) return [];
      const device: FirmwareDevice = new FirmwareDevice({
        ...plan,
        ...{ folder, cacheFolder, clock },
        linePath: join(folder, `line-${i}`),
        random: random.fork(`line ${plan.id}`),
        onEnd: (found) => this.#failed(device, found),
      });
      return [device];
    });
  }

  async #buildFirmware(): Promise<void> {
    for (const device of this.firmware) {
      this.#tell(`${device.id} is built, if need be`);
      await device.prepare();
    }
  }

  #startNode(): Promise<void> {
    return this.#surroundings.node.start(this.firmware.map(({ linePath }) => `unix:${linePath}`));
  }

  #createDevices(): SimulatedDevice[] {
    const { module, gateway, clock, folder } = this.#surroundings;
    const { devices, seed } = this.#scenario;
    const random = seededRandom(seed);
    const nonces = random.fork("nonces");
    return devices.flatMap((planned) => {
      if (planned.firmware !== undefined) return [];
      const ringFolder = join(folder, planned.id);
      if (planned.keepsRing) mkdirSync(ringFolder, { recursive: true });
      return createFleet({
        plans: [fleetPlan(planned)],
        endpoint: () => this.#endpoint(planned),
        ...(planned.keepsRing ? { ringFile: (id) => join(ringFolder, `${id}.ring`) } : {}),
        module,
        gateway,
        clock,
        random,
        nonces,
      });
    });
  }

  #endpoint({ id, transport }: SignalDevice): Endpoint {
    const { url, group } = this.#surroundings.node.endpoint(transport);
    const proxy = this.#proxies.get(id);
    return { url: proxy === undefined ? url : `${transport}://127.0.0.1:${proxy.port}`, group };
  }

  /** Devices whose link is cut by an event reach the node through a relay that can be cut. */
  async #openProxies(): Promise<void> {
    const { clock, node } = this.#surroundings;
    for (const event of this.#scenario.events) {
      if (event.do !== "cut-link" || this.#proxies.has(event.device)) continue;
      const transport = this.#scenario.devices.find(({ id }) => id === event.device)?.transport ?? "mqtt";
      if (transport === "serial") continue;
      const { hostname, port } = new URL(node.endpoint(transport).url);
      this.#proxies.set(event.device, await ByteStreamProxy.open({ host: hostname, port: Number(port), clock }));
    }
  }

  async #happen(event: ScenarioEvent): Promise<void> {
    const { clock, node } = this.#surroundings;
    await sleep(clock, event.atS * 1000);
    const target = event.do === "kill-node" ? "node" : event.device;
    this.#tell(`${event.do} ${target}`);
    const devices = event.do === "kill-node" ? [] : this.#devicesOf(event.device);
    const firmware = event.do === "kill-node" ? undefined : this.firmware.find(({ id }) => id === event.device);
    if (event.do === "kill-node") await node.kill();
    if (event.do === "cut-power") await Promise.all(devices.map((device) => device.powerCut()));
    if (event.do === "cut-link") await (firmware?.cutLink() ?? this.#proxies.get(event.device)?.cut());
    await sleep(clock, event.forS * 1000);
    if (event.do === "kill-node") await this.#startNode();
    if (event.do === "cut-power") await Promise.all(devices.map((device) => device.powerOn()));
    if (event.do === "cut-link") await (firmware?.mendLink() ?? this.#proxies.get(event.device)?.mend());
    this.#tell(`${target} is back`);
  }

  #devicesOf(planId: string): (SimulatedDevice | FirmwareDevice)[] {
    const plan = this.#scenario.devices.find(({ id }) => id === planId);
    if (plan?.firmware !== undefined) return this.firmware.filter(({ id }) => id === planId);
    const names = new Set(plan === undefined ? [] : deviceNames(fleetPlan(plan)));
    return this.devices.filter(({ id }) => names.has(id));
  }

  async #settle(device: SimulatedDevice | FirmwareDevice, settled: () => Promise<boolean>): Promise<void> {
    try {
      if (await settled()) this.#settled.add(device);
    } catch (error) {
      this.#failed(device, error);
    }
  }

  #failed(device: SimulatedDevice | FirmwareDevice, error: unknown): void {
    const found = error instanceof Error ? error.message : String(error);
    this.failures.push({ name: `device ${device.id} runs`, held: false, found, expected: "no error" });
  }

  #tell(text: string): void {
    const { clock, onProgress } = this.#surroundings;
    onProgress?.({ atS: (clock.nowMs() - this.#startMs) / 1000, text });
  }
}

function fleetPlan({
  id,
  count,
  signal,
  eps,
  frameSamples,
  silenceMs,
  ringBytes,
  mtu,
  lookahead,
  link,
}: SignalDevice): DevicePlan {
  const cuts = link?.cuts?.map(({ fromS, toS }) => ({ fromMs: fromS * 1000, toMs: toS * 1000 }));
  return {
    id,
    count,
    signal,
    eps,
    frameSamples,
    silenceMs,
    ringBytes,
    mtu,
    lookahead,
    link: link === undefined ? undefined : { ...link, cuts },
  };
}

function countOf(devices: number): string {
  return devices === 1 ? "1 device" : `${devices} devices`;
}
