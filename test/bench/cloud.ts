import type { BenchGoal, BenchOptions, BenchReport, BenchTable } from "./bench.ts";
import {
  type CargoCell,
  measureCargo,
  measureOverload,
  measureSpeed,
  measureSteady,
  type OverloadCell,
  type SpeedCell,
  type SteadyCell,
} from "./cloud-cells.ts";
import type { DirectAnswer } from "./cloud-direct.ts";
import { runDirect } from "./cloud-direct-run.ts";
import { CLOUD_BROKERS } from "./cloud-rig.ts";

/** One node without a broker, by threads. */
export interface DirectCell extends DirectAnswer {
  readonly threads: number;
}

/** All that was measured. */
export interface CloudFound {
  readonly direct: readonly DirectCell[];
  readonly speeds: readonly SpeedCell[];
  readonly steady: readonly SteadyCell[];
  readonly many: readonly SteadyCell[];
  readonly overloads: readonly OverloadCell[];
  readonly cargos: readonly CargoCell[];
}

const DIRECT_THREADS = [0, 1, 2];
const DIRECT_DEVICES = 200;
const DIRECT_FRAMES = 400;
const STEADY_DEVICES = 1_000;
const MANY_DEVICES = [2_000, 10_000];
const MANY_SECONDS = 20;
const OVERLOAD_TIMES = 2;
const OVERLOAD_SECONDS = 60;
/** A disk that takes a second for a commit. */
const SLOW_COMMIT_MS = 1_000;
const SLOW_SECONDS = 15;

/** A node under load: per broker, without one, by devices, beyond what it can take, and beside what people send otherwise. */
export async function benchCloud({ isQuick }: BenchOptions): Promise<BenchReport> {
  if (isQuick === true) return reportCloud(await measureQuick());
  const direct: DirectCell[] = [];
  for (const threads of DIRECT_THREADS) {
    direct.push({ threads, ...(await runDirect({ devices: DIRECT_DEVICES, frames: DIRECT_FRAMES, threads })) });
  }
  const speeds: SpeedCell[] = [];
  const steady: SteadyCell[] = [];
  for (const broker of CLOUD_BROKERS) {
    speeds.push(await measureSpeed(broker));
    steady.push(await measureSteady(broker, STEADY_DEVICES));
  }
  const many: SteadyCell[] = [];
  for (const devices of MANY_DEVICES) many.push(await measureSteady("embedded", devices, MANY_SECONDS));
  const sustained = speeds[0]?.framesPerSecond ?? 0;
  const twice = Math.round(OVERLOAD_TIMES * sustained);
  const overloads = [
    await measureOverload("more frames than it can take", twice, OVERLOAD_SECONDS),
    await measureOverload("a disk that takes a second", Math.round(sustained / 2), SLOW_SECONDS, SLOW_COMMIT_MS),
  ];
  const cargos = [await measureCargo("lockstep"), await measureCargo("float32"), await measureCargo("json")];
  return reportCloud({ direct, speeds, steady, many, overloads, cargos });
}

/** The node alone, and with a thousand devices over its own broker. */
async function measureQuick(): Promise<CloudFound> {
  const direct = [{ threads: 0, ...(await runDirect({ devices: DIRECT_DEVICES, frames: DIRECT_FRAMES, threads: 0 })) }];
  const speeds = [await measureSpeed("embedded")];
  const steady = [await measureSteady("embedded", STEADY_DEVICES)];
  return { direct, speeds, steady, many: [], overloads: [], cargos: [] };
}

/** The page and the object that `--json` prints. */
export function reportCloud(found: CloudFound): BenchReport {
  const { direct, speeds, steady, many, overloads, cargos } = found;
  return {
    title: "A node under load",
    goals: goalsOf(found),
    columns: [
      "broker",
      "node, µs a frame",
      "broker, µs",
      "devices, µs",
      "frames/s per core",
      "frames/s by the clock",
      "lost",
    ],
    rows: speeds.map((cell) => [
      cell.broker,
      ...[cell.nodeUs, cell.brokerUs, cell.fleetUs, perCore(cell), cell.framesPerSecond].map(shown),
      cell.lost,
    ]),
    more: [directTable(direct), steadyTable([...steady, ...many]), overloadTable(overloads), cargoTable(cargos)],
    notes: NOTES,
    json: {
      brokers: steady.map(({ broker, devices, committed, rssMB, audit }, i) => ({
        name: broker,
        devices,
        framesPerSecondPerCore: Math.round(perCore(speeds[i])),
        latencyMsP50: shown(committed.p50),
        latencyMsP99: shown(committed.p99),
        rssMB: Math.round(rssMB),
        lost: audit.confirmedLost + audit.missing + audit.wrong,
      })),
    },
  };
}

function goalsOf({ direct, steady, many, overloads, cargos }: CloudFound): BenchGoal[] {
  const [alone] = direct;
  const [embedded] = steady;
  const [overload] = overloads;
  const ours = cargos.find(({ cargo }) => cargo === "lockstep");
  const rate = alone === undefined ? Number.NaN : (1000 * alone.frames) / alone.cpuMs;
  const served = many.filter(({ audit, unconfirmed }) => isWhole(audit) && unconfirmed === 0);
  const lost = [...steady, ...many, ...overloads].reduce(
    (sum, { audit }) => sum + audit.confirmedLost + audit.wrong,
    0,
  );
  const goals: BenchGoal[] = [
    {
      what: "frames/s reconstructed and committed per core, without a broker",
      measured: rate,
      unit: "frames/s",
      must: { atLeast: 15_000 },
      aim: 50_000,
    },
    {
      what: "devices at 1 frame/s, 0 lost",
      measured: Math.max(0, ...served.map(({ devices }) => devices)),
      unit: "devices",
      must: { atLeast: 2_000 },
      aim: 10_000,
    },
    {
      what: "edge to committed at 1,000 devices, p99, embedded broker",
      measured: embedded?.committed.p99 ?? Number.NaN,
      unit: "ms",
      must: { below: 50 },
      aim: 20,
    },
    {
      what: "memory at 1,000 devices, embedded broker",
      measured: embedded?.rssMB ?? Number.NaN,
      unit: "MB",
      must: { below: 300 },
      aim: 120,
    },
    {
      what: `devices are held back after the begin of ${OVERLOAD_TIMES} times the sustainable rate`,
      measured: overload?.heldAfterMs ?? Number.NaN,
      unit: "ms",
      must: { atMost: 1_000 },
    },
    {
      what: "not confirmed after the overload",
      measured: overloads.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
      unit: "frames",
      must: { atMost: 0 },
    },
    {
      what: "confirmed frames lost or altered, all of this",
      measured: lost + (ours?.killed.confirmedLost ?? Number.NaN) + (ours?.killed.wrong ?? Number.NaN),
      unit: "frames",
      must: { atMost: 0 },
    },
  ];
  // The quick form has neither more devices nor too many frames: nothing is said of them
  const isWithin = ({ what }: BenchGoal) => overloads.length > 0 || /without a broker|at 1,000 devices/.test(what);
  return goals.filter(isWithin);
}

function directTable(cells: readonly DirectCell[]): BenchTable {
  return {
    title: "Without a broker, by threads that decode",
    columns: [
      "threads beside the node's own",
      "processor time, µs a frame",
      "of these on the node's own thread",
      "frames/s per core",
      "frames/s by the clock",
      "RSS, MB",
    ],
    rows: cells.map(({ threads, frames, cpuMs, mainMs, wallMs, rssMB }) =>
      [
        threads,
        (1000 * cpuMs) / frames,
        (1000 * mainMs) / frames,
        (1000 * frames) / cpuMs,
        (1000 * frames) / wallMs,
        rssMB,
      ].map(shown),
    ),
  };
}

function steadyTable(cells: readonly SteadyCell[]): BenchTable {
  return {
    title: "Devices at one frame a second",
    columns: [
      "broker",
      "devices",
      "frames",
      "edge to committed p50, ms",
      "p99, ms",
      "plain round trip p50, ms",
      "p99, ms",
      "ratio p99",
      "node, % of a core",
      "RSS, MB",
      "lost",
      "not confirmed",
    ],
    rows: cells.map((cell) => [
      cell.broker,
      cell.devices,
      cell.frames,
      ...[cell.committed.p50, cell.committed.p99, cell.echo.p50, cell.echo.p99].map(shown),
      ...[cell.committed.p99 / cell.echo.p99, 100 * cell.nodeCpu, cell.rssMB].map(shown),
      cell.audit.confirmedLost + cell.audit.missing + cell.audit.wrong,
      cell.unconfirmed,
    ]),
  };
}

function overloadTable(cells: readonly OverloadCell[]): BenchTable {
  return {
    title: "More than it can take",
    columns: [
      "what",
      "frames/s asked of it",
      "seconds",
      "held back after, ms",
      "held back for, ms",
      "frames kept in devices, at most",
      "confirmed after its end, ms",
      "confirmed and lost",
      "missing",
    ],
    rows: cells.map((cell) => [
      cell.what,
      ...[cell.framesPerSecond, cell.seconds, cell.heldAfterMs, cell.heldMs, cell.heldMost, cell.drainMs].map(shown),
      cell.audit.confirmedLost + cell.audit.wrong,
      cell.audit.missing,
    ]),
  };
}

function cargoTable(cells: readonly CargoCell[]): BenchTable {
  return {
    title: "Beside what people send otherwise",
    columns: [
      "cargo",
      "bytes on the connection, a frame",
      "messages",
      "bytes in the store",
      "node or consumer, µs",
      "broker, µs",
      "confirmed and lost, killed",
      "missing, killed",
    ],
    rows: cells.map((cell) => [
      cell.cargo === "lockstep" ? "Lockstep" : cell.cargo === "json" ? "JSON, QoS 1" : "float32, QoS 1",
      ...[cell.bytesPerFrame, cell.messagesPerFrame, cell.storeBytesPerFrame, cell.nodeUs, cell.brokerUs].map(shown),
      cell.killed.confirmedLost + cell.killed.wrong,
      cell.killed.missing,
    ]),
  };
}

const NOTES = [
  "Frames: the rotor at 100 Hz, 6 channels, frames of 8 samples, eps 0.001; made by the real link before the clock starts, and sealed for each device. Node, broker and devices are processes of their own on the same machine and share its cores, so the rates by the clock say little; processor time per frame and its inverse, frames/s per core, do.",
  "Node: user and system time of its whole process, broker inside it where it is embedded, the thread that commits included (synchronous=FULL, 10 ms). First table: 200 devices, each with at most 32 frames unconfirmed, as fast as they are confirmed.",
  "Edge to committed: from the write to the device's socket to the moment at which the node has the frame on disk and says so to itself. Plain round trip: a 60-byte message with QoS 0 to the same broker and back, 20 a second in the same run, from the devices' process.",
  "Lost: every device's frames are read back from the store and every value is compared, bit for bit, with what its codec reconstructed; missing: sent, and not there.",
  "Overload: twice the rate of the first row for a minute, the devices keeping what is not taken; and half of it on a disk on which every commit takes a second. Held back: the node stops reading from devices (`lockstep_held_back_seconds_total`).",
  "Beside: 100 devices, 500 frames/s, mosquitto that keeps nothing on disk, SQLite with synchronous=FULL every 10 ms. The plain consumer has a session that the broker keeps, and acknowledges on receipt, as clients do. Killed with kill -9 while frames are under way, and started again at once: first node or consumer, then broker. Confirmed: acknowledged to the device, by the node or by PUBACK. JSON is rounded to the bound.",
];

function isWhole({ confirmedLost, missing, wrong }: SteadyCell["audit"]): boolean {
  return confirmedLost + missing + wrong === 0;
}

function perCore(cell: SpeedCell | undefined): number {
  return cell === undefined ? Number.NaN : 1e6 / cell.nodeUs;
}

function shown(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 6 : 3));
}
