import type { BenchOptions, BenchReport, BenchTable } from "./bench.ts";
import { deviceModule, HALF_SECONDS, RATE_HZ, RAW_BYTES_PER_SAMPLE, runRotor, SEEDS } from "./rotor-session.ts";
import { median } from "./statistics.ts";
import { cellsOf, choose, joined, round, type WireCell } from "./wire-cells.ts";
import { COLD, ipGoals, payloadGoals, STEADY, storeGoals } from "./wire-goals.ts";
import {
  demandTable,
  type LoraDemand,
  type LoraOutcome,
  loraDemand,
  loraOutcome,
  outcomeTable,
} from "./wire-lorawan.ts";
import { wireNotes } from "./wire-notes.ts";
import { GROUPS, lanePlans } from "./wire-plans.ts";
import { latencyPlot } from "./wire-plot.ts";
import { runWire, type WireRun } from "./wire-run.ts";
import { imuSource, rotorSource, slowSource, type WireSource } from "./wire-source.ts";
import { summaryOf, summaryTable } from "./wire-summary.ts";
import { layersTable, partsTable, serialTable, speedTable } from "./wire-tables.ts";

/** At true real time: 1 sample, 0.1 s, 1 s, 5 s, 10 s. */
const REAL_FRAMES = [1, 10, 100, 500, 1000];
/** Sped up: 5 s and 10 s again, to compare, and 60 s. */
const LONG_FRAMES = [500, 1000, 6000];
const LONGEST_FRAME = 6000;
/** A divisor of MQTT's 90 s and TCP's 30 s, which are told in whole seconds; beyond, a stall of the computer is a long time. */
const SPEED = 3;
/** Six frames of 60 s: one batched acknowledgement. */
const LONG_SECONDS = 360;
const LATER = `${LONG_SECONDS} s after`;
const WHOLE = `first ${2 * HALF_SECONDS} s`;
const LORA_FRAMES = [1, 10, 100, 500, 1000, 6000];
const LORA_SECONDS = 600;
/** Of a sensor with a sample a minute: one sample, a quarter of an hour, one hour, four. */
const SLOW_FRAMES = [1, 15, 60, 240];
const DAY_S = 86_400;
const MANY_SEEDS = 96;
const RAW_BYTES = HALF_SECONDS * RATE_HZ * RAW_BYTES_PER_SAMPLE;

/** Bytes of the reference rotor and of an inertial sensor at every layer of every link, beside plain float32 streams. */
export async function benchWire({ isQuick }: BenchOptions): Promise<BenchReport> {
  const sources = [rotorSource(), imuSource()];
  const real = await runWire({
    plans: lanePlans({
      sources,
      frames: REAL_FRAMES,
      defaultFrames: [100, 500],
      rarePingFrames: [1000],
      streamFrames: REAL_FRAMES,
    }),
    ...{ sources, groups: GROUPS, parts: [HALF_SECONDS, HALF_SECONDS], speed: 1, checkedSeeds: SEEDS },
  });
  const long = isQuick === true ? undefined : await runLong(sources);
  const runs = [{ run: real, speed: 1 }, ...(long === undefined ? [] : [{ run: long, speed: SPEED }])];
  const ratios = await seedRatios();
  const six = SEEDS.map((seed): SeedRatio => ratios[seed - 1] ?? { seed, cold: Number.NaN, steady: Number.NaN });
  const cells = runs.flatMap(({ run, speed }) => cellsOfRun(run, speed, sources));
  const lora = isQuick === true ? undefined : await loraTables(sources);
  const goals = [
    ...payloadGoals(median(six.map(({ cold }) => cold)), median(six.map(({ steady }) => steady))),
    ...ipGoals(cells),
    ...storeGoals(
      runs.map(({ run, speed }) => ({ run, seconds: 2 * HALF_SECONDS + (speed === SPEED ? LONG_SECONDS : 0) })),
    ),
  ];
  const shown = cells.filter(({ speed, frameSamples }) => speed === 1 || frameSamples === LONGEST_FRAME);
  const packets = shown.filter(({ link }) => link !== "serial");
  const summary = summaryOf(shown, { rotor: STEADY, IMU: WHOLE, long: LATER });
  return {
    goals,
    plots: [latencyPlot(summary)],
    ...summaryTable(summary),
    title: "Bytes on the wire: the reference rotor and an inertial sensor over MQTT, TCP, serial lines and LoRaWAN",
    more: [
      layersTable(`The rotor's ${COLD}, from cold`, inOrder(packets, "rotor", COLD), cells),
      layersTable(`The rotor's ${STEADY}, steady`, inOrder(packets, "rotor", STEADY), cells),
      layersTable(`The inertial sensor, ${WHOLE} of the recording`, inOrder(packets, "IMU", WHOLE), cells),
      layersTable(
        `The rotor, the ${LATER}`,
        inOrder(choose(cells, { part: LATER }).filter(hasPackets), "rotor", LATER),
        cells,
      ),
      layersTable(
        `The inertial sensor, the ${LATER}`,
        inOrder(choose(cells, { part: LATER }).filter(hasPackets), "IMU", LATER),
        cells,
      ),
      serialTable("Serial line: COBS and a CRC", serialCells(shown), cells),
      ...(lora === undefined ? [] : [demandTable(lora.demand), outcomeTable(lora.outcome)]),
      partsTable(`Where the up-link's bytes go, ${STEADY}, bytes per data frame; frames of 60 s: the ${LATER}`, [
        ...partsCells(cells, STEADY, [500, 1000], 1),
        ...partsCells(cells, LATER, [LONGEST_FRAME], SPEED),
      ]),
      speedTable("The same frames at both speeds", cells, SPEED),
      seedsTable(six, ratios),
    ],
    notes: wireNotes({ cells, real, long, speed: SPEED, longPart: LATER }),
    json: { goals, cells, seeds: ratios, lorawan: lora, runs: runs.map(({ run, speed }) => runFacts(run, speed)) },
  };
}

/** Sped up, with frames of 60 s. */
async function runLong(sources: readonly WireSource[]): Promise<WireRun> {
  return await runWire({
    plans: lanePlans({
      sources,
      frames: LONG_FRAMES,
      defaultFrames: [LONGEST_FRAME],
      rarePingFrames: [1000, LONGEST_FRAME],
      streamFrames: [LONGEST_FRAME],
    }),
    ...{ sources, groups: GROUPS, parts: [HALF_SECONDS, HALF_SECONDS, LONG_SECONDS], speed: SPEED, checkedSeeds: [1] },
  });
}

/** A rotor's parts apart, a recording's first two as one, because what moves in it is not steady; and what comes later. */
function cellsOfRun(run: WireRun, speed: number, [rotor, imu]: readonly WireSource[]): WireCell[] {
  const [cold = [], steady = [], later = []] = run.parts;
  const periodNs = rotor?.periodNs ?? 0;
  const isImu = ({ plan }: { readonly plan: { readonly source: string } }) => plan.source === imu?.name;
  const isOther = (lane: Parameters<typeof isImu>[0]) => !isImu(lane);
  const both = joined(cold, steady).filter((lane) => isImu(lane) || lane.plan.kind === "plain");
  return [
    ...cellsOf(cold.filter(isOther), { part: COLD, speed, periodNs }),
    ...cellsOf(steady.filter(isOther), { part: STEADY, speed, periodNs }),
    ...cellsOf(both, { part: WHOLE, speed, periodNs }),
    ...cellsOf(later, { part: LATER, speed, periodNs }),
  ];
}

/** A signal and the plain streams in one part: by frame, then by link, ours first. */
function inOrder(cells: readonly WireCell[], signal: string, part: string): WireCell[] {
  const rank = ({ stream, link }: WireCell) => (stream === "Lockstep" ? 0 : 2) + (link === "MQTT" ? 0 : 1);
  return [...choose(cells, { signal, part }), ...choose(cells, { signal: "any", part })].sort(
    (a, b) => a.frameSamples - b.frameSamples || rank(a) - rank(b),
  );
}

function hasPackets({ link }: WireCell): boolean {
  return link !== "serial";
}

function serialCells(cells: readonly WireCell[]): WireCell[] {
  const serial = choose(cells, { link: "serial" });
  return [
    ...[COLD, STEADY].flatMap((part) => choose(serial, { signal: "rotor", part })),
    ...choose(serial, { signal: "IMU", part: WHOLE }),
    ...choose(serial, { signal: "any", part: STEADY }),
  ];
}

function partsCells(cells: readonly WireCell[], part: string, frames: readonly number[], speed: number): WireCell[] {
  return inOrder(
    choose(cells, { stream: "Lockstep", part, speed }).filter(
      (cell) => hasPackets(cell) && frames.includes(cell.frameSamples),
    ),
    "rotor",
    part,
  );
}

async function loraTables([rotor, imu]: readonly WireSource[]): Promise<{
  demand: LoraDemand[];
  outcome: LoraOutcome[];
}> {
  const demand: LoraDemand[] = [];
  const outcome: LoraOutcome[] = [];
  const slow = slowSource();
  for (const source of [rotor, imu]) {
    if (source !== undefined) demand.push(...(await loraDemand(source, LORA_FRAMES, LORA_SECONDS)));
  }
  demand.push(...(await loraDemand(slow, SLOW_FRAMES, 2 * DAY_S)));
  for (const frameSamples of SLOW_FRAMES) outcome.push(await loraOutcome(slow, frameSamples, 48));
  for (const source of [rotor, imu]) {
    if (source !== undefined) outcome.push(await loraOutcome(source, LONGEST_FRAME, 2));
  }
  return { demand, outcome };
}

interface SeedRatio {
  readonly seed: number;
  readonly cold: number;
  readonly steady: number;
}

/** Payload of frames of 1 s, over a link that takes no time. */
async function seedRatios(): Promise<SeedRatio[]> {
  const module = deviceModule();
  return Promise.all(
    Array.from({ length: MANY_SEEDS }, async (_, i) => {
      const { cold, all } = await runRotor(i + 1, RATE_HZ, module);
      const steady = RAW_BYTES / (all.payloadBytes - cold.payloadBytes);
      return { seed: i + 1, cold: RAW_BYTES / cold.payloadBytes, steady };
    }),
  );
}

function seedsTable(six: readonly SeedRatio[], many: readonly SeedRatio[]): BenchTable {
  const medians = (ratios: readonly SeedRatio[]) => [
    round(median(ratios.map(({ cold }) => cold))),
    round(median(ratios.map(({ steady }) => steady))),
  ];
  return {
    title: "Payload by seed, frames of 1 s",
    columns: ["seed", `${COLD}, x`, `${STEADY}, x`],
    rows: [
      ...six.map(({ seed, cold, steady }) => [String(seed), round(cold), round(steady)]),
      ["median of these", ...medians(six)],
      [`median of seeds 1 to ${MANY_SEEDS}`, ...medians(many)],
    ],
  };
}

function runFacts({ latestMs, repeatedSegments }: WireRun, speed: number) {
  return { speed, latestMs, repeatedSegments };
}
