import type { FlashStateFrame } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { DeviceDoor } from "./device-door.ts";
import { DeviceUpdate } from "./device-update.ts";
import type { UpdatePackage } from "./update-package.ts";
import { isFailure, isOver, type RolloutRecord, type UpdateRecord } from "./update-record.ts";

/** Devices that are updated at once: they share the node's time with all that stream. */
const MOST_AT_ONCE = 16;

/** What a roll-out needs around it. */
export interface RolloutOptions {
  readonly record: RolloutRecord;
  readonly packages: readonly UpdatePackage[];
  readonly door: DeviceDoor;
  readonly clock: Clock;
  /** Told after a step of a device, or of the whole. */
  stepped(device: UpdateRecord | undefined): void;
  /** Told after mere progress. */
  progressed(): void;
}

/**
 * One package for many devices, stage by stage: the next stage begins when every device of the last one is through, and
 * none does once too many have failed.
 */
export class Rollout {
  readonly #options: RolloutOptions;
  readonly #updates = new Map<string, DeviceUpdate>();
  #isAdvancing = false;

  constructor(options: RolloutOptions) {
    this.#options = options;
    const { record, packages, door, clock } = options;
    for (const device of record.devices) {
      const changed = (what: "step" | "progress"): void => {
        if (what === "progress") options.progressed();
        else options.stepped(device);
        if (isOver(device.step)) this.#advance();
      };
      this.#updates.set(device.device, new DeviceUpdate({ packages, door, clock, record: device, changed }));
    }
  }

  get record(): RolloutRecord {
    return this.#options.record;
  }

  /** Begin, or go on after a restart of the node. */
  start(): void {
    for (const { device, step } of this.record.devices) if (step !== "queued") this.#updates.get(device)?.start();
    this.#advance();
  }

  /** Whether this device is, or will be, updated by it. */
  holds(device: string): boolean {
    return this.record.state === "running" && this.#updates.get(device)?.isOver === false;
  }

  heard(device: string, state: FlashStateFrame): void {
    this.#updates.get(device)?.heard(state);
  }

  connected(device: string): void {
    this.#updates.get(device)?.connected();
  }

  disconnected(device: string): void {
    this.#updates.get(device)?.disconnected();
  }

  confirmed(device: string): void {
    this.#updates.get(device)?.confirmed();
  }

  /** Call it off: what is not confirmed goes back. */
  cancel(): void {
    for (const update of this.#updates.values()) update.cancel();
    this.#advance();
  }

  close(): void {
    for (const update of this.#updates.values()) update.close();
  }

  #advance(): void {
    // Starting one may end it at once, which comes back here.
    if (this.#isAdvancing || this.record.state !== "running") return;
    this.#isAdvancing = true;
    const { devices, maxFailures } = this.record;
    if (devices.filter(({ step }) => isFailure(step)).length > maxFailures) this.#stop();
    else this.#admit();
    this.#isAdvancing = false;
    if (devices.every(({ step }) => isOver(step))) this.#end();
  }

  #admit(): void {
    const { devices } = this.record;
    for (;;) {
      const admitted = devices.slice(0, this.#admitted());
      const active = admitted.filter(({ step }) => step !== "queued" && !isOver(step)).length;
      const next = admitted.find(({ step }) => step === "queued");
      if (next === undefined || active >= MOST_AT_ONCE) return;
      this.#updates.get(next.device)?.start();
    }
  }

  /** How many devices may be under way or through now: those of the first stage that is not through. */
  #admitted(): number {
    const { devices, stages } = this.record;
    for (const percent of stages) {
      const count = Math.ceil((percent / 100) * devices.length);
      if (devices.slice(0, count).some(({ step }) => !isOver(step))) return count;
    }
    return devices.length;
  }

  /** Too many failed: the rest keeps what it runs. What is tried already is let through: it proves itself or goes back. */
  #stop(): void {
    const { clock, stepped } = this.#options;
    for (const device of this.record.devices) {
      if (device.step === "queued") {
        const reason = "the roll-out was stopped: too many devices had failed";
        Object.assign(device, { step: "skipped", reason, endedUs: clock.unixUs() });
        stepped(device);
      } else if (!isOver(device.step) && device.reached !== "activated" && !device.isCancelling) {
        this.#updates.get(device.device)?.cancel();
      }
    }
  }

  #end(): void {
    const { record, clock, stepped } = this.#options;
    const failures = record.devices.filter(({ step }) => isFailure(step)).length;
    const isCancelled = record.devices.some(({ step }) => step === "cancelled");
    record.state = failures > record.maxFailures ? "stopped" : isCancelled ? "cancelled" : "done";
    record.endedUs = clock.unixUs();
    stepped(undefined);
  }
}
