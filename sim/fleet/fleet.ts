import type { Clock, DeviceModule, Lookahead, MacKey, RandomSource } from "@lockstep/edge-sdk";
import { faultyTransport } from "../links/faulty-transport.ts";
import { type LinkFaults, linkFault } from "../links/link-fault.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { Signal } from "../signals/signal.ts";
import { createSignal, type SignalSpec } from "../signals/signal-registry.ts";
import { type Endpoint, transportTo } from "./device-transport.ts";
import { type DeviceSummary, type DeviceUpdates, type EpsRule, SimulatedDevice } from "./simulated-device.ts";

/** Devices of one kind. */
export interface DevicePlan {
  /** 1 … 64 of `[A-Za-z0-9_-]`; with a count above 1 each gets `-1`, `-2` … after it. */
  readonly id: string;
  readonly count?: number | undefined;
  readonly signal: SignalSpec;
  readonly eps: EpsRule;
  readonly frameSamples: number;
  readonly silenceMs?: number | undefined;
  readonly ringBytes?: number | undefined;
  /** Longest message of its link, bytes. */
  readonly mtu?: number | undefined;
  /** How far its devices look ahead in a frame; "none" unless given. */
  readonly lookahead?: Lookahead | undefined;
  /** What its link does to messages, in both directions. */
  readonly link?: LinkFaults | undefined;
}

export interface FleetOptions {
  readonly plans: readonly DevicePlan[];
  /** Where a device of this plan connects; asked at every boot. */
  endpoint(plan: DevicePlan, id: string): Endpoint;
  /** Where a device keeps its ring; undefined for one that has only memory. */
  ringFile?(id: string): string;
  readonly module: DeviceModule;
  /** For devices that look ahead; these are refused where it is missing. */
  readonly gateway?: DeviceModule | undefined;
  /** What a device puts MACs on its frames with; undefined for one that does not. */
  macKeyOf?(id: string): MacKey | undefined;
  /** How the devices may be updated; not at all unless given. Those that look ahead cannot be. */
  readonly updates?: DeviceUpdates | undefined;
  readonly clock: Clock;
  /** Signals, links and back-off all come from this one. */
  readonly random: SeededRandom;
  /**
   * Where boots take their nonces. Not the seed's, unless no other run speaks to the same store: two runs of one seed
   * would have the same nonces, and the cloud would take the second for the first.
   */
  readonly nonces: RandomSource;
  /** Told why a device does not reach the other end, each reason once; it tries again and again. */
  onProblem?(id: string, problem: string): void;
  /** Told that it does again. */
  onRecovery?(id: string): void;
}

const DEFAULT_SILENCE_MS = 10_000;

/**
 * Make the devices of a fleet, switched off. Each has a signal, a link and a back-off of its own, which depend on nothing
 * but the seed and its name; its nonces are from elsewhere.
 *
 * @throws {SignalError} for a signal that cannot be made
 * @throws {CodecError} for a bound that cannot be kept
 */
export function createFleet(options: FleetOptions): SimulatedDevice[] {
  const startUs = options.clock.unixUs();
  return options.plans.flatMap((plan) => deviceNames(plan).map((id) => createDevice(options, plan, id, startUs)));
}

/** Names of the devices of a plan. */
export function deviceNames({ id, count = 1 }: DevicePlan): string[] {
  return count === 1 ? [id] : Array.from({ length: count }, (_, i) => `${id}-${i + 1}`);
}

/** One line for many devices. */
export function totalSummary(
  summaries: readonly DeviceSummary[],
): Omit<DeviceSummary, "id" | "lookahead" | "channels"> {
  const sum = (pick: (summary: DeviceSummary) => number) => summaries.reduce((total, one) => total + pick(one), 0);
  return {
    samples: sum((one) => one.samples),
    rawBytes: sum((one) => one.rawBytes),
    messages: sum((one) => one.messages),
    bytes: sum((one) => one.bytes),
    dataFrames: sum((one) => one.dataFrames),
    dataFrameBytes: sum((one) => one.dataFrameBytes),
    payloadBytes: sum((one) => one.payloadBytes),
    messagesDown: sum((one) => one.messagesDown),
    bytesDown: sum((one) => one.bytesDown),
    confirmed: sum((one) => one.confirmed),
    evicted: sum((one) => one.evicted),
    unsaved: sum((one) => one.unsaved),
    unconfirmedFrames: sum((one) => one.unconfirmedFrames),
    boots: sum((one) => one.boots),
    connections: sum((one) => one.connections),
  };
}

/**
 * The signal of a device of a fleet: the same one wherever it is made from the same seed and name.
 *
 * @param random  of the whole fleet
 * @throws {SignalError} for a signal that cannot be made
 */
export function deviceSignal(spec: SignalSpec, id: string, random: SeededRandom): Signal {
  return createSignal(spec, random.fork(`device ${id}`).fork("signal"));
}

function createDevice(options: FleetOptions, plan: DevicePlan, id: string, startUs: number): SimulatedDevice {
  const { module, gateway = module, clock } = options;
  const random = options.random.fork(`device ${id}`);
  const backOff = random.fork("device");
  const { link, lookahead = "none" } = plan;
  const [up, down] = [linkFault(link ?? {}, random.fork("up")), linkFault(link ?? {}, random.fork("down"))];
  const linkStartMs = clock.nowMs();
  return new SimulatedDevice({
    id,
    signal: deviceSignal(plan.signal, id, options.random),
    eps: plan.eps,
    frameSamples: plan.frameSamples,
    silenceMs: plan.silenceMs ?? DEFAULT_SILENCE_MS,
    ringBytes: plan.ringBytes,
    ringFile: options.ringFile?.(id),
    mtu: plan.mtu,
    macKey: options.macKeyOf?.(id),
    startUs,
    connect() {
      const transport = transportTo(options.endpoint(plan, id), {
        device: id,
        clock,
        random: backOff,
        onProblem: (problem) => options.onProblem?.(id, problem),
        onRecovery: () => options.onRecovery?.(id),
      });
      return link === undefined ? transport : faultyTransport(transport, { up, down, clock, startMs: linkStartMs });
    },
    module: lookahead === "none" ? module : gateway,
    lookahead,
    updates: lookahead === "none" ? options.updates : undefined,
    clock,
    nonces: options.nonces,
  });
}
