import type { CloudAudit } from "./cloud-audit.ts";
import { type CloudBroker, CloudRig } from "./cloud-rig.ts";
import type { Cargo } from "./light-device.ts";

/** Half and 99 % of delays, ms. */
export interface Delays {
  readonly p50: number;
  readonly p99: number;
}

/** A node under as much as it takes, over one broker. */
export interface SpeedCell {
  readonly broker: CloudBroker;
  readonly frames: number;
  /** Processor time of a frame, µs: of the node's process, of the broker's, of the devices'. */
  readonly nodeUs: number;
  readonly brokerUs: number;
  readonly fleetUs: number;
  /** By the clock, with everything on this machine. */
  readonly framesPerSecond: number;
  readonly lost: number;
}

/** Many devices at one frame a second each. */
export interface SteadyCell {
  readonly broker: CloudBroker;
  readonly devices: number;
  readonly frames: number;
  readonly committed: Delays;
  readonly echo: Delays;
  readonly rssMB: number;
  /** Share of one core. */
  readonly nodeCpu: number;
  readonly audit: CloudAudit;
  readonly unconfirmed: number;
}

/** More than a node can take. */
export interface OverloadCell {
  readonly what: string;
  readonly framesPerSecond: number;
  readonly seconds: number;
  /** From its begin until the node held devices back, ms. */
  readonly heldAfterMs: number;
  readonly heldMs: number;
  /** Frames that were due and stayed in devices, at most. */
  readonly heldMost: number;
  /** From its end until everything was confirmed. */
  readonly drainMs: number;
  readonly audit: CloudAudit;
  readonly unconfirmed: number;
}

/** What a way of sending costs, and what it loses when it is killed. */
export interface CargoCell {
  readonly cargo: Cargo;
  readonly frames: number;
  readonly bytesPerFrame: number;
  readonly messagesPerFrame: number;
  readonly storeBytesPerFrame: number;
  readonly nodeUs: number;
  readonly brokerUs: number;
  readonly killed: CloudAudit;
}

const SPEED_DEVICES = 200;
const SPEED_SECONDS = 8;
const SPEED_WINDOW = 32;
const WARM_UP_SECONDS = 3;
const STEADY_SECONDS = 20;
const ECHOES_PER_SECOND = 20;
const DRAIN_LIMIT_MS = 60_000;
const MANY_FRAMES = 6_000;

/** As fast as it is confirmed. */
export async function measureSpeed(broker: CloudBroker, threads?: number): Promise<SpeedCell> {
  const rig = await CloudRig.start({ broker, devices: SPEED_DEVICES, frames: MANY_FRAMES, ...given(threads) });
  try {
    const load = { framesPerSecond: 0, window: SPEED_WINDOW, echoesPerSecond: 0 };
    await rig.run({ ...load, seconds: WARM_UP_SECONDS });
    await rig.usage();
    const brokerBefore = rig.brokerCpuMs();
    const run = await rig.run({ ...load, seconds: SPEED_SECONDS });
    const used = await rig.usage();
    const brokerMs = rig.brokerCpuMs() - brokerBefore;
    await rig.drain(DRAIN_LIMIT_MS);
    const audit = await rig.audit();
    const us = (ms: number) => (1000 * ms) / used.frames;
    return {
      broker,
      frames: used.frames,
      nodeUs: us(used.cpuMs),
      brokerUs: us(brokerMs),
      fleetUs: us(run.cpuMs),
      framesPerSecond: (1000 * used.frames) / used.wallMs,
      lost: audit.confirmedLost + audit.missing + audit.wrong,
    };
  } finally {
    await rig.stop();
  }
}

/** One frame a second from each. */
export async function measureSteady(
  broker: CloudBroker,
  devices: number,
  seconds: number = STEADY_SECONDS,
): Promise<SteadyCell> {
  const rig = await CloudRig.start({ broker, devices, frames: 2 * (WARM_UP_SECONDS + seconds) });
  try {
    const load = { framesPerSecond: devices, window: 512, echoesPerSecond: ECHOES_PER_SECOND };
    await rig.run({ ...load, seconds: WARM_UP_SECONDS });
    await rig.drain(DRAIN_LIMIT_MS);
    await rig.commitDelaysMs();
    await rig.usage();
    const run = await rig.run({ ...load, seconds });
    const used = await rig.usage();
    const { unconfirmed } = await rig.drain(DRAIN_LIMIT_MS);
    const delays = await rig.commitDelaysMs();
    const audit = await rig.audit();
    return {
      broker,
      devices,
      frames: delays.length,
      committed: quantiles(delays),
      echo: quantiles(run.echoMs),
      rssMB: used.rssMB,
      nodeCpu: used.cpuMs / used.wallMs,
      audit,
      unconfirmed,
    };
  } finally {
    await rig.stop();
  }
}

/** So many frames a second for so long, and then none: how the node says so, and whether it comes back by itself. */
export async function measureOverload(
  what: string,
  framesPerSecond: number,
  seconds: number,
  slowCommitMs = 0,
): Promise<OverloadCell> {
  const frames = Math.ceil((framesPerSecond * seconds) / SPEED_DEVICES) + 200;
  const rig = await CloudRig.start({ broker: "embedded", devices: SPEED_DEVICES, frames, slowCommitMs });
  try {
    await rig.usage();
    const startMs = Number(process.hrtime.bigint()) / 1e6;
    const run = await rig.run({ framesPerSecond, seconds, window: 512, echoesPerSecond: 0 });
    const used = await rig.usage();
    const { unconfirmed, ms } = await rig.drain(4 * DRAIN_LIMIT_MS);
    const after = await rig.usage();
    const audit = await rig.audit();
    return {
      what,
      framesPerSecond,
      seconds,
      heldAfterMs: used.heldSinceMs === 0 ? Number.NaN : used.heldSinceMs - startMs,
      heldMs: after.heldMs,
      heldMost: run.heldMost,
      drainMs: ms,
      audit,
      unconfirmed,
    };
  } finally {
    await rig.stop();
  }
}

const CARGO_DEVICES = 100;
const CARGO_RATE = 500;
const CARGO_SECONDS = 10;
const KILL_SECONDS = 4;

/** One way of sending, with the node and then the broker killed while it goes on. */
export async function measureCargo(cargo: Cargo): Promise<CargoCell> {
  const frames = (CARGO_RATE / CARGO_DEVICES) * (CARGO_SECONDS + 4 * KILL_SECONDS) * 2;
  const rig = await CloudRig.start({ broker: "mosquitto", devices: CARGO_DEVICES, cargo, frames });
  const load = { framesPerSecond: CARGO_RATE, window: 512, echoesPerSecond: 0 };
  try {
    await rig.run({ ...load, seconds: WARM_UP_SECONDS });
    await rig.drain(DRAIN_LIMIT_MS);
    await rig.usage();
    const [brokerBefore, before] = [rig.brokerCpuMs(), await rig.truths()];
    const run = await rig.run({ ...load, seconds: CARGO_SECONDS });
    await rig.drain(DRAIN_LIMIT_MS);
    const used = await rig.usage();
    const after = await rig.truths();
    const brokerMs = rig.brokerCpuMs() - brokerBefore;
    const grown = (of: (truth: (typeof after)[number]) => number) =>
      after.reduce((sum, truth) => sum + of(truth), 0) - before.reduce((sum, truth) => sum + of(truth), 0);
    const killed = async (kill: () => Promise<void>) => {
      const going = rig.run({ ...load, seconds: 2 * KILL_SECONDS });
      await new Promise((resolve) => setTimeout(resolve, 1000 * KILL_SECONDS));
      await kill();
      await going;
    };
    await killed(() => rig.killNode());
    await killed(() => rig.killBroker());
    await rig.drain(DRAIN_LIMIT_MS);
    const audit = await rig.audit();
    return {
      cargo,
      frames: run.sent,
      bytesPerFrame: grown(({ bytesUp, bytesDown }) => bytesUp + bytesDown) / run.sent,
      messagesPerFrame: grown(({ messages }) => messages) / run.sent,
      storeBytesPerFrame: rig.storeBytes() / audit.frames,
      nodeUs: (1000 * used.cpuMs) / run.sent,
      brokerUs: (1000 * brokerMs) / run.sent,
      killed: audit,
    };
  } finally {
    await rig.stop();
  }
}

function given(threads: number | undefined): { readonly threads?: number } {
  return threads === undefined ? {} : { threads };
}

function quantiles(delaysMs: readonly number[]): Delays {
  const sorted = delaysMs.filter((ms) => !Number.isNaN(ms)).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
