import { performance } from "node:perf_hooks";
import {
  type ChannelPlan,
  type Core,
  type EncodedPayload,
  loadBatchCore,
  planChannel,
  toFixed,
  toFloat,
} from "@lockstep/edge-sdk/core";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { DESIGN_RATES } from "./design-rates.ts";
import { readBatchModule } from "./modules.ts";
import { deltaPeers } from "./peers/grid-delta.ts";
import { listSets, type TelemetrySet } from "./telemetry-sets.ts";

const DEFAULT_RELS = ["1e-1", "1e-2", "1e-3"];

/** One data set at one bound. */
interface Cell {
  readonly set: string;
  readonly rel: string;
  readonly channels: number;
  readonly samples: number;
  readonly bitsPerSample: number;
  readonly maxErrorOverEps: number;
  readonly stateBytes: number;
  /** Bits per sample of others under the same bound, by name. */
  readonly peers: Readonly<Record<string, number>>;
}

/**
 * Bits per channel-sample of the codec on recorded telemetry, beside compressors anyone has, in one run. Errors are
 * measured in float64 against the float32 originals; eps is rel x (max - min) of each channel.
 */
export async function benchCodec(options: BenchOptions): Promise<BenchReport> {
  const sets = await listSets(options.dataFolder);
  const rels = options.rels.length === 0 ? DEFAULT_RELS : options.rels;
  const core = loadBatchCore(await readBatchModule());
  let encodeNs = 0;
  let channelSamples = 0;
  const cells: Cell[] = [];
  for (const set of sets) {
    for (const rel of rels) {
      const run = runCell(core, set, Number(rel), options.frameSamples ?? set.rows);
      cells.push({ set: set.name, rel, channels: set.channels, samples: set.rows, ...run.cell });
      encodeNs += run.encodeNs;
      channelSamples += set.values.length;
    }
  }
  const peerNames = Object.keys(cells[0]?.peers ?? {});
  const geomean = Object.fromEntries([
    ["bitsPerSample", geometricMean(cells.map((cell) => cell.bitsPerSample))],
    ...peerNames.map((peer) => [
      `${peer} / ours`,
      geometricMean(cells.map((cell) => (cell.peers[peer] ?? Number.NaN) / cell.bitsPerSample)),
    ]),
  ]);
  const encodeNsPerChannelSample = encodeNs / channelSamples;
  return {
    title: "Codec: bits per channel-sample",
    notes: [
      `${options.frameSamples === undefined ? "One frame per file" : `Frames of ${options.frameSamples} samples`}, payload bytes with flush, learning included, no envelope; encoder from the cold state.`,
      "design: the figures of the design prototype in one frame per file, for comparison; everything else is from this run.",
      "max error: largest |decoded − original| / eps, in float64 against the float32 originals.",
      "zstd, gzip: values rounded to the grid of 2 eps, differences of each channel, bytes by significance, zstd -19 and gzip -9 over the whole file. They see the whole file; the codec is causal.",
      `Encoding took ${encodeNsPerChannelSample.toFixed(0)} ns per channel-sample (batch.wasm).`,
    ],
    columns: ["set", "rel", "ours", "design", ...peerNames, "max error", "state bytes"],
    rows: cells.map((cell) => [
      cell.set,
      cell.rel,
      round(cell.bitsPerSample),
      DESIGN_RATES[cell.set]?.[cell.rel] ?? "",
      ...peerNames.map((peer) => round(cell.peers[peer] ?? Number.NaN)),
      cell.maxErrorOverEps.toFixed(6),
      cell.stateBytes,
    ]),
    json: { cells, geomean, encodeNsPerChannelSample },
  };
}

function runCell(core: Core, set: TelemetrySet, rel: number, frameSamples: number) {
  const { channels, values, ranges } = set;
  const eps = ranges.map(({ min, max }) => rel * (max - min));
  const plans = ranges.map(({ min, max }, c) => planChannel({ name: `c${c}`, eps: eps[c] ?? 0, min, max }));
  const samples = Int32Array.from(values, (value, i) => toFixed(planOf(plans, i % channels).config, value).sample);
  const config = core.configure(plans.map((plan) => plan.config));
  const encoder = core.createEncoder(config);
  const frames: EncodedPayload[] = [];
  const started = performance.now();
  for (let at = 0; at < samples.length; ) {
    const frame = encoder.encode(samples.subarray(at, at + frameSamples * channels));
    frames.push(frame);
    at += frame.rows * channels;
  }
  const encodeNs = (performance.now() - started) * 1e6;
  const decoder = core.createDecoder(config);
  let bytes = 0;
  let maxErrorOverEps = 0;
  let at = 0;
  for (const frame of frames) {
    bytes += frame.payload.length;
    for (const sample of decoder.decode(frame.payload, frame.rows, frame).samples) {
      const c = at % channels;
      const error = Math.abs(toFloat(planOf(plans, c).config, sample) - (values[at] ?? Number.NaN));
      maxErrorOverEps = Math.max(maxErrorOverEps, error / (eps[c] ?? 0));
      at += 1;
    }
  }
  const peers = deltaPeers(values, channels, eps);
  const bitsPerSample = (8 * bytes) / values.length;
  return { encodeNs, cell: { bitsPerSample, maxErrorOverEps, stateBytes: core.stateBytes(channels), peers } };
}

function planOf(plans: readonly ChannelPlan[], c: number): ChannelPlan {
  const plan = plans[c];
  if (plan === undefined) throw new RangeError(`bench: no plan for channel ${c}`);
  return plan;
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
