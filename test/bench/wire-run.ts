import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@lockstep/cloud-node";
import { fasterClock } from "./faster-clock.ts";
import { PacketCapture } from "./packet-capture.ts";
import { deviceModule, RATE_HZ, RAW_BYTES_PER_SAMPLE } from "./rotor-session.ts";
import { FarEnds, storeOf, type WireGroup } from "./wire-ends.ts";
import { type Lane, type LanePlan, openLockstepLane, openPlainLane } from "./wire-lanes.ts";
import { sourceOf, type WireSource } from "./wire-source.ts";
import { type StoredError, storedErrorOf } from "./wire-store-check.ts";
import { connectionsOf, countsOf, type LaneTraffic, trafficOf } from "./wire-traffic.ts";

export interface WireTask {
  readonly sources: readonly WireSource[];
  readonly groups: readonly WireGroup[];
  /** `acks` names the group of a Lockstep lane, plain ones use the first group's broker. */
  readonly plans: readonly LanePlan[];
  /** Seconds of signal per part. */
  readonly parts: readonly number[];
  /** Samples come, and every clock of device, node and MQTT runs, so many times faster; a divisor of 60. */
  readonly speed: number;
  /** Devices of these seeds are read back from the store. */
  readonly checkedSeeds: readonly number[];
}

export interface WireRun {
  readonly setup: readonly LaneTraffic[];
  /** Shape (parts, lanes). */
  readonly parts: readonly (readonly LaneTraffic[])[];
  readonly errors: readonly StoredError[];
  /** The most by which a sample was pushed too late, in the signal's own time, ms: other work on the computer. */
  readonly latestMs: number;
  /** TCP segments that were sent again; they are in no other figure. */
  readonly repeatedSegments: number;
}

/** Nothing is pushed for so long between two parts of the run, so that no packet falls between them; in real time. */
const PAUSE_MS = 1_500;

/** Run all lanes at once: sample i of each is pushed i periods after the start. */
export async function runWire(task: WireTask): Promise<WireRun> {
  const { groups, plans, parts, speed } = task;
  const folder = mkdtempSync(join(tmpdir(), "lockstep-wire-"));
  const clock = speed === 1 ? systemClock() : fasterClock(systemClock(), speed);
  const ends = new FarEnds(clock);
  try {
    for (const group of groups) await ends.open(group, storeOf(folder, group.name));
    const { ports } = ends;
    const capture = await PacketCapture.start(ports);
    const cuts = [Date.now()];
    const lanes = await openLanes(task, ends);
    cuts.push(await pause());
    const counts = [lanes.map(countsOf)];
    const { play, lateness } = player(task, lanes);
    for (const seconds of parts) {
      await play(seconds * RATE_HZ);
      cuts.push(await pause());
      counts.push(lanes.map(countsOf));
    }
    const packets = await capture.stop();
    for (const lane of lanes) await lane.close();
    await ends.close();
    const connections = connectionsOf(packets, ports, new Map(lanes.map(({ plan, mark }) => [plan.name, mark])));
    const split = (i: number) => {
      const rawBytes = (parts[i - 1] ?? 0) * RATE_HZ * RAW_BYTES_PER_SAMPLE;
      const part = { rawBytes, fromMs: cuts[i] ?? 0, toMs: cuts[i + 1] ?? 0 };
      return plans.map((plan, l) =>
        trafficOf(plan, part, connections.get(plan.name), counts[i - 1]?.[l], counts[i]?.[l]),
      );
    };
    const repeatedSegments = [...connections.values()].reduce((sum, { repeated }) => sum + repeated, 0);
    const errors: StoredError[] = [];
    for (const plan of plans) {
      if (plan.kind === "lockstep" && task.checkedSeeds.includes(plan.seed))
        errors.push(await storedErrorOf(sourceOf(task.sources, plan), plan, storeOf(folder, plan.acks)));
    }
    return {
      setup: split(0),
      parts: parts.map((_, i) => split(i + 1)),
      errors,
      latestMs: lateness(),
      repeatedSegments,
    };
  } finally {
    await ends.close();
    rmSync(folder, { recursive: true });
  }
}

async function openLanes({ sources, plans, speed }: WireTask, farEnds: FarEnds): Promise<Lane[]> {
  const module = deviceModule();
  const lanes: Lane[] = [];
  for (const plan of plans) {
    const ends = farEnds.of(plan, speed);
    lanes.push(
      plan.kind === "plain"
        ? await openPlainLane(plan, ends)
        : await openLockstepLane(plan, sourceOf(sources, plan), ends, module),
    );
  }
  return lanes;
}

/** Reads every signal once, and gives each sample to the lanes that carry it. */
function player({ sources, plans, speed }: WireTask, lanes: readonly Lane[]) {
  const keyOf = ({ source, seed }: LanePlan) => `${source} ${seed}`;
  const keys = new Map(plans.map((plan) => [keyOf(plan), plan]));
  const signals = [...keys].map(([key, plan]) => {
    const source = sourceOf(sources, plan);
    return { key, reader: source.signal(plan.seed).read(), row: new Float64Array(source.channels.length) };
  });
  const fed = signals.flatMap(({ key, row }) =>
    lanes.filter(({ plan }) => keyOf(plan) === key).map((lane) => ({ lane, row })),
  );
  let played = 0;
  let latestMs = 0;
  return {
    lateness: () => latestMs * speed,
    async play(samples: number) {
      const late = await paced(samples, 1000 / RATE_HZ / speed, () => {
        for (const { reader, row } of signals) reader.next(row);
        const timeUs = played * (1e6 / RATE_HZ);
        for (const { lane, row } of fed) lane.push(row, timeUs);
        played += 1;
      });
      latestMs = Math.max(latestMs, late);
    },
  };
}

/** @returns the middle of the pause, Unix time in ms */
async function pause(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return Date.now();
}

/** Act `count` times, each when it is due; after a late timer those that are over-due at once. @returns the latest, ms */
async function paced(count: number, periodMs: number, act: () => void): Promise<number> {
  const startMs = performance.now();
  let latestMs = 0;
  for (let i = 1; i <= count; i += 1) {
    const waitMs = startMs + i * periodMs - performance.now();
    latestMs = Math.max(latestMs, -waitMs);
    // Late or not: what came over the network in the meantime has its turn.
    await new Promise((resolve) => (waitMs > 0 ? setTimeout(resolve, waitMs) : setImmediate(resolve)));
    act();
  }
  return latestMs;
}
