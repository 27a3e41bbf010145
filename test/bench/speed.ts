import { type Core, loadBatchCore, planChannel, toFixed } from "@lockstep/edge-sdk/core";
import type { BenchGoal, BenchOptions, BenchReport, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { readBatchModule } from "./modules.ts";
import { buildNative, NATIVE_BUILDS, NativeCodec, type SpeedJob, type SpeedRun } from "./speed-native.ts";
import { type SpeedSignal, speedSignals } from "./speed-signals.ts";
import { geometricMean, median } from "./statistics.ts";
import { listSets } from "./telemetry-sets.ts";

const CHANNEL_COUNTS = [1, 3, 6, 8];
/** Of each generated signal, and at most of each recording: a run takes some milliseconds, seldom interrupted. */
const CHANNEL_SAMPLES = 32_000;
const DEFAULT_FRAME_ROWS = 1_000;
const DEFAULT_REL = 1e-2;
/** Runs that do not count: Node compiles the module better while it runs. */
const WARM_UP_RUNS = 9;
const RUNS = 25;
/** Of the quick form. */
const QUICK_WARM_UP_RUNS = 3;
const QUICK_RUNS = 8;
const RATIO_MUST = 0.5;
const RATIO_AIM = 0.8;
const FLOAT32_BYTES = 4;

const NODE = "Node";
const DIRECTIONS = ["encode", "decode"] as const;
type Direction = (typeof DIRECTIONS)[number];

/** Times of one direction by who coded, ns per channel-sample, in the order of the runs. */
type Times = Readonly<Record<string, readonly number[]>>;

/** How often every coder codes a signal. */
interface Turns {
  /** Without being counted. */
  readonly warmUp: number;
  readonly counted: number;
}

interface Cell {
  readonly signal: SpeedSignal;
  readonly bitsPerSample: number;
  readonly times: Readonly<Record<Direction, Times>>;
}

/**
 * How fast `batch.wasm` codes in Node, one core, beside the same module as native code: both do the same work on the
 * same samples by turns, and both must come to the same bytes and the same state.
 *
 * Takes the first bound of its options.
 *
 * @throws {BenchError} `no-compiler`; `not-the-same`
 * @throws {RecordingError} when the folder or a recording cannot be used
 */
export async function benchSpeed(options: BenchOptions): Promise<BenchReport> {
  const wasm = await readBatchModule();
  const core = loadBatchCore(wasm);
  const rel = Number(options.rels[0] ?? DEFAULT_REL);
  const frameRows = options.frameSamples ?? DEFAULT_FRAME_ROWS;
  const signals = [...speedSignals(CHANNEL_COUNTS, CHANNEL_SAMPLES), ...(await recordings(options.dataFolder))];
  const turns: Turns =
    options.isQuick === true
      ? { warmUp: QUICK_WARM_UP_RUNS, counted: QUICK_RUNS }
      : { warmUp: WARM_UP_RUNS, counted: RUNS };
  const native = buildNative(wasm);
  try {
    const cells: Cell[] = [];
    for (const signal of signals)
      cells.push(await measure(core, native.files, jobOf(core, signal, rel, frameRows), signal, turns));
    return report(cells, rel, frameRows, turns);
  } finally {
    native.remove();
  }
}

async function recordings(folder: string | undefined): Promise<SpeedSignal[]> {
  if (folder === undefined) return [];
  return (await listSets(folder)).map(({ name, channels, values }) => {
    const rows = Math.min(values.length / channels, Math.ceil(CHANNEL_SAMPLES / channels));
    return { name, channels, values: values.subarray(0, rows * channels) };
  });
}

async function measure(
  core: Core,
  files: ReadonlyMap<string, string>,
  job: SpeedJob,
  signal: SpeedSignal,
  { warmUp, counted }: Turns,
): Promise<Cell> {
  const node = new NodeCodec(core, job);
  const coders = new Map<string, { run(direction: Direction): SpeedRun | Promise<SpeedRun> }>([[NODE, node]]);
  const natives = [...files].map(([name, file]) => [name, new NativeCodec(file, job)] as const);
  for (const [name, codec] of natives) coders.set(name, codec);
  const times = {
    encode: Object.fromEntries([...coders.keys()].map((name): [string, number[]] => [name, []])),
    decode: Object.fromEntries([...coders.keys()].map((name): [string, number[]] => [name, []])),
  };
  let expected: SpeedRun | undefined;
  for (let run = 0; run < warmUp + counted; run++) {
    for (const direction of DIRECTIONS) {
      for (const [name, codec] of coders) {
        const found = await codec.run(direction);
        expected ??= found;
        checkSame(name, direction, found, expected);
        if (run >= warmUp) times[direction][name]?.push(found.ns / job.samples.length);
      }
    }
  }
  for (const [, codec] of natives) codec.end();
  return { signal, bitsPerSample: (8 * (expected?.payloadBytes ?? 0)) / job.samples.length, times };
}

/** Both ends of every coder come to one state, through the same bytes. */
function checkSame(name: string, direction: Direction, found: SpeedRun, expected: SpeedRun): void {
  if (found.payloadBytes === expected.payloadBytes && found.stateHash === expected.stateHash) return;
  throw new BenchError("not-the-same", { coder: name, direction, bytes: found.payloadBytes, hash: found.stateHash });
}

/** What both are given to code. */
export function jobOf(core: Core, { channels, values }: SpeedSignal, rel: number, frameRows: number): SpeedJob {
  const configs = Array.from({ length: channels }, (_, c) => {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = c; i < values.length; i += channels) {
      min = Math.min(min, values[i] ?? Number.NaN);
      max = Math.max(max, values[i] ?? Number.NaN);
    }
    return planChannel({ name: `c${c}`, eps: rel * (max - min), min, max }).config;
  });
  const samples = new Int32Array(values.length);
  for (const [c, config] of configs.entries()) {
    for (let i = c; i < values.length; i += channels) samples[i] = toFixed(config, values[i] ?? Number.NaN).sample;
  }
  return { config: core.configure(configs), stateBytes: core.stateBytes(channels), samples, frameRows };
}

/** The host SDK at work on one job. */
class NodeCodec {
  readonly #core: Core;
  readonly #job: SpeedJob;
  #payloads: { readonly bytes: Uint8Array; readonly rows: number }[] = [];

  constructor(core: Core, job: SpeedJob) {
    this.#core = core;
    this.#job = job;
  }

  run(direction: Direction): SpeedRun {
    const { config, samples, frameRows } = this.#job;
    const codec = direction === "encode" ? this.#core.createEncoder(config) : this.#core.createDecoder(config);
    const begun = process.hrtime.bigint();
    if ("encode" in codec) {
      this.#payloads = [];
      for (let at = 0; at < samples.length; at += frameRows * config.channels) {
        const { payload, rows } = codec.encode(samples.subarray(at, at + frameRows * config.channels));
        this.#payloads.push({ bytes: payload, rows });
      }
    } else {
      for (const { bytes, rows } of this.#payloads) codec.decode(bytes, rows, { hasEvents: false, hasLines: false });
    }
    const ns = Number(process.hrtime.bigint() - begun);
    const payloadBytes = this.#payloads.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { ns, payloadBytes, stateHash: codec.hash() };
  }
}

function report(cells: readonly Cell[], rel: number, frameRows: number, turns: Turns): BenchReport {
  const coders = [NODE, ...Object.keys(NATIVE_BUILDS)];
  const goals = DIRECTIONS.map((direction): BenchGoal => {
    const ratios = cells.map((cell) => ratioOf(cell, direction));
    return {
      what: `${direction} in Node against native: native time / Node time, geometric mean of ${cells.length}`,
      measured: geometricMean(ratios),
      unit: "x",
      must: { atLeast: RATIO_MUST },
      aim: RATIO_AIM,
    };
  });
  return {
    ...timesTable("encode", cells, coders),
    title: "Speed: the codec in Node beside native code",
    goals,
    more: [timesTable("decode", cells, coders), spreadTable(cells, coders)],
    notes: [
      `Times are ns per channel-sample by the clock, one thread, the least of ${turns.counted} runs after ${turns.warmUp} that do not count; all coders by turns in one run. MB/s are of float32, 4 bytes a channel-sample.`,
      `Frames of ${frameRows} samples, eps ${rel} of each channel's range, from the cold state; samples and payloads are copied into the module and out of it on both sides. Conversion between float and fixed point is in neither.`,
      `Native: batch.wasm through wasm2c (npm wabt) and gcc, around firmware-examples/board-support, which checks every memory access but for the last build, where a guard page would have to. Node is held against the fastest of them.`,
      "The first table is of encoding. All coders made the same bytes and came to the same state, or this page would not be here.",
      `Generated signals: ${CHANNEL_SAMPLES} channel-samples each (test/bench/speed-signals.ts); recordings: as many from their start, where --data was given.`,
    ],
    json: {
      rel,
      frameSamples: frameRows,
      cells: cells.map(({ signal: { name, channels }, bitsPerSample, times }) => ({
        signal: name,
        channels,
        bitsPerSample,
        nsPerChannelSample: times,
      })),
      ratio: Object.fromEntries(DIRECTIONS.map((direction, i) => [direction, goals[i]?.measured])),
    },
  };
}

function timesTable(direction: Direction, cells: readonly Cell[], coders: readonly string[]): BenchTable {
  return {
    title: `${direction === "encode" ? "Encode" : "Decode"}, ns per channel-sample`,
    columns: ["signal", "channels", "bits", ...coders, "Node MB/s", "native / Node"],
    rows: cells.map((cell) => {
      const least = coders.map((name) => leastOf(cell.times[direction][name]));
      return [
        cell.signal.name,
        cell.signal.channels,
        Number(cell.bitsPerSample.toPrecision(3)),
        ...least.map(Math.round),
        Number(((1000 * FLOAT32_BYTES) / (least[0] ?? Number.NaN)).toPrecision(3)),
        Number(ratioOf(cell, direction).toFixed(2)),
      ];
    }),
  };
}

/** How far the middle of the runs is from the least: what else the machine was doing. */
function spreadTable(cells: readonly Cell[], coders: readonly string[]): BenchTable {
  const rows = DIRECTIONS.flatMap((direction) =>
    coders.map((name) => {
      const spreads = cells.map(
        (cell) => median(cell.times[direction][name] ?? []) / leastOf(cell.times[direction][name]),
      );
      return [
        `${direction}, ${name}`,
        Number(geometricMean(spreads).toFixed(3)),
        Number(Math.max(...spreads).toFixed(2)),
      ];
    }),
  );
  return { title: "Median of the runs over the least", columns: ["coder", "geometric mean", "largest"], rows };
}

function ratioOf({ times }: Cell, direction: Direction): number {
  const native = Math.min(...Object.keys(NATIVE_BUILDS).map((name) => leastOf(times[direction][name])));
  return native / leastOf(times[direction][NODE]);
}

function leastOf(times: readonly number[] = []): number {
  return Math.min(...times);
}
