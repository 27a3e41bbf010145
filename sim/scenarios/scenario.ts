import type { Lookahead } from "@lockstep/edge-sdk";
import type { FirmwarePlan } from "../firmware/firmware-device.ts";
import type { EpsRule } from "../fleet/simulated-device.ts";
import type { LinkFaults } from "../links/link-fault.ts";
import type { SignalSpec } from "../signals/signal-registry.ts";

/** Devices of one kind: with a signal of this process, or firmware under QEMU. */
export type ScenarioDevice = SignalDevice | ScenarioFirmware;

/** One device that is firmware under QEMU, at a serial line of the node. */
export interface ScenarioFirmware extends FirmwarePlan {
  readonly transport: "serial";
}

/** Devices with a signal for a sensor. */
export interface SignalDevice {
  readonly firmware?: undefined;
  /** With a count above 1 each device gets `-1`, `-2` … after it. */
  readonly id: string;
  readonly count?: number | undefined;
  readonly transport: "mqtt" | "tcp";
  readonly signal: SignalSpec;
  readonly eps: EpsRule;
  readonly frameSamples: number;
  readonly silenceMs?: number | undefined;
  readonly ringBytes?: number | undefined;
  /** Longest message of its link, bytes. */
  readonly mtu?: number | undefined;
  /** How far they look ahead in a frame before it is sent. */
  readonly lookahead: Lookahead;
  /** Keeps its ring in a file, which is all that is left of it after a power cut. */
  readonly keepsRing: boolean;
  /** What its link does to messages, in both directions; `cuts` swallow them silently. */
  readonly link?: ScenarioLink | undefined;
}

/** Faults of a link, with its cuts in seconds from the start. */
export interface ScenarioLink extends Omit<LinkFaults, "cuts"> {
  readonly cuts?: readonly { readonly fromS: number; readonly toS: number }[] | undefined;
}

/** Something that happens `atS` seconds after the start, and is over `forS` later. */
export type ScenarioEvent =
  | { readonly do: "kill-node"; readonly atS: number; readonly forS: number }
  | { readonly do: "cut-power" | "cut-link"; readonly atS: number; readonly forS: number; readonly device: string };

/** What must hold in the end. */
export interface ScenarioExpectation {
  /** Samples that were confirmed to a device and are not in the store. */
  readonly lostConfirmed: 0;
  readonly maxErrorOverEps: number;
  /** Every frame that a ring still held was confirmed in the end. */
  readonly converged: true;
  /** `none`: no sample may be missing; `declared`: some must be, and the node must say how many. */
  readonly gaps: "none" | "declared" | "any";
  /** float32 bytes over payload bytes, over all devices. */
  readonly minRatioPayload?: number | undefined;
  /** Part of the samples taken that is stored. */
  readonly minStored?: number | undefined;
}

/** Devices, what happens to them, and what must hold afterwards. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly seed: number;
  readonly durationS: number;
  /** How long the devices may take, after the last sample, to get everything confirmed. */
  readonly settleS: number;
  readonly devices: readonly ScenarioDevice[];
  readonly events: readonly ScenarioEvent[];
  readonly expect: ScenarioExpectation;
}

export type ScenarioErrorCode = "cannot-read" | "not-yaml" | "bad-field" | "unknown-scenario";

/** A scenario file that cannot be used, and where. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  readonly code: ScenarioErrorCode;
  readonly facts: {
    readonly file: string;
    /** 1-based. */
    readonly line?: number;
    readonly field?: string;
    readonly problem: string;
  };

  constructor(code: ScenarioErrorCode, facts: ScenarioError["facts"], options?: ErrorOptions) {
    const { file, line, field, problem } = facts;
    const place = line === undefined ? file : `${file}:${line}`;
    super(`scenario: ${place}: ${field === undefined ? "" : `${field}: `}${problem}`, options);
    this.code = code;
    this.facts = facts;
  }
}
