import { type Clock, compileDeviceModule, type RandomSource, type Timer } from "@lockstep/edge-sdk";
import {
  checkHistory,
  faultyTransport,
  type LinkFault,
  type Pace,
  paceInRealTime,
  SimulatedDevice,
  seededRandom,
  transportTo,
} from "@lockstep/sim";
import { openHistory } from "../../history/history.ts";
import { shippedDeviceModule } from "../device-module.ts";
import { DEMO_DEVICES, DEMO_FRAME_SAMPLES, DEMO_SILENCE_MS, demoSignal } from "./demo-devices.ts";
import type { EdgeOrder, EdgeReport, EdgeStatus } from "./edge-messages.ts";

/** How often devices tell about themselves. */
const STATUS_MS = 500;

/** The demo's devices, as their own process runs them. */
export class EdgeDevices {
  readonly #clock: Clock;
  readonly #nonces: RandomSource;
  readonly #report: (report: EdgeReport) => void;
  readonly #cutUntilMs = new Map<string, number>();
  #devices: readonly SimulatedDevice[] = [];
  #pace: Pace | undefined;
  #statusTimer: Timer | undefined;
  #startMs = 0;
  #startCpu = process.cpuUsage();

  /** @param nonces  of the devices' boots; not seeded, because `--store` keeps what earlier runs sent */
  constructor(clock: Clock, nonces: RandomSource, report: (report: EdgeReport) => void) {
    this.#clock = clock;
    this.#nonces = nonces;
    this.#report = report;
  }

  /** @throws what a device throws that cannot be started */
  async obey(order: EdgeOrder): Promise<void> {
    switch (order.kind) {
      case "start":
        return await this.#start(order);
      case "cut":
        this.#cutUntilMs.set(order.device, this.#clock.nowMs() + order.forMs);
        return this.#tellStatus();
      case "stop":
        return await this.#stop(order.withinMs);
      case "verify":
        return await this.#verify(order.storeFile);
    }
  }

  async #start({ url, group, seed }: Extract<EdgeOrder, { kind: "start" }>): Promise<void> {
    const module = compileDeviceModule(shippedDeviceModule().bytes);
    const clock = this.#clock;
    const startUs = clock.unixUs();
    this.#devices = DEMO_DEVICES.map((device) => {
      const random = seededRandom(seed).fork(`device ${device.id}`);
      const fault: LinkFault = (delivery) => (this.#isCut(device.id) ? [] : [delivery]);
      return new SimulatedDevice({
        id: device.id,
        signal: demoSignal(device, seed),
        eps: device.eps,
        frameSamples: DEMO_FRAME_SAMPLES,
        silenceMs: DEMO_SILENCE_MS,
        startUs,
        connect() {
          const transport = transportTo({ url, group }, { device: device.id, clock, random });
          return faultyTransport(transport, { up: fault, down: fault, clock });
        },
        module,
        clock,
        nonces: this.#nonces,
      });
    });
    for (const device of this.#devices) await device.powerOn();
    this.#startCpu = process.cpuUsage();
    this.#startMs = clock.nowMs();
    this.#pace = paceInRealTime(this.#devices, clock, (device, error) => {
      this.#report({ kind: "failed", message: `${device.id}: ${error instanceof Error ? error.message : error}` });
    });
    this.#repeatStatus();
  }

  async #stop(withinMs: number): Promise<void> {
    this.#pace?.stop();
    const { user, system } = process.cpuUsage(this.#startCpu);
    const wallMs = this.#clock.nowMs() - this.#startMs;
    this.#cutUntilMs.clear();
    for (const device of this.#devices) device.flush();
    await Promise.all(this.#devices.map((device) => device.settled(0, withinMs)));
    this.#statusTimer?.cancel();
    const devices = this.#devices.map((device) => device.summary());
    this.#report({ kind: "stopped", cpuMs: (user + system) / 1000, wallMs, devices });
  }

  async #verify(storeFile: string): Promise<void> {
    const history = await openHistory(storeFile);
    try {
      const verdicts = this.#devices.map((device) => {
        const epoch = device.stats?.epoch ?? 0;
        return checkHistory(device, history.samples(device.id, { epoch }));
      });
      this.#report({ kind: "verified", verdicts });
    } finally {
      history.close();
    }
  }

  #isCut(device: string): boolean {
    return this.#clock.nowMs() < (this.#cutUntilMs.get(device) ?? 0);
  }

  #repeatStatus(): void {
    this.#tellStatus();
    this.#statusTimer = this.#clock.setTimer(() => this.#repeatStatus(), STATUS_MS);
  }

  #tellStatus(): void {
    this.#report({ kind: "status", devices: this.#devices.map((device) => this.#statusOf(device)) });
  }

  #statusOf(device: SimulatedDevice): EdgeStatus {
    return {
      id: device.id,
      startUs: device.startUs,
      eps: device.eps,
      samples: device.next,
      ringFill: device.stats?.ringFill ?? 0,
      unconfirmedFrames: device.stats?.unconfirmedFrames ?? 0,
      isCut: this.#isCut(device.id),
    };
  }
}
