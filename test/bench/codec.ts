import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { type Core, loadBatchCore, planChannel } from "@lockstep/edge-sdk/core";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { beforeTables } from "./codec-before.ts";
import { boundsOf, type Cell } from "./codec-cell.ts";
import { BEST, type OursChoice, oursOf, peerNames, ratiosTo } from "./codec-comparison.ts";
import { costTables } from "./codec-cost.ts";
import { elsewhereOf } from "./codec-elsewhere.ts";
import { codecGoals, goalNotes } from "./codec-goals.ts";
import { liteTables } from "./codec-lite.ts";
import { CODEC_NOTES } from "./codec-notes.ts";
import { type FrameLength, VARIANTS } from "./codec-ours.ts";
import { codecPlots } from "./codec-plots.ts";
import { headlineTable, moreTables, tell } from "./codec-tables.ts";
import { measureCells } from "./codec-threads.ts";
import { readBatchModule } from "./modules.ts";
import type { PeerResult } from "./peers/peer.ts";
import { RecordingError } from "./recording-error.ts";
import { geometricMean } from "./statistics.ts";
import { listSets, type TelemetrySet } from "./telemetry-sets.ts";

const DEFAULT_RELS = [0.1, 0.01, 0.001];
const DEFAULT_FRAMES: readonly FrameLength[] = [100, 1000, "file"];
/** The frame length that figures are quoted at. */
const HEADLINE_FRAME = 1000;

/**
 * Bits per channel-sample of the codec on recorded telemetry, beside every peer, in one run, on the same bytes, at the
 * same strict bound. Errors are measured in float64 against the float32 originals; eps is rel x (max − min) of each
 * channel.
 *
 * @param say  takes a line after each cell; standard error by default
 * @throws {RecordingError} when the folder or a recording cannot be used
 * @throws {BenchError} `stopped` by an interrupt
 */
export async function benchCodec(
  options: BenchOptions,
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<BenchReport> {
  const sets = await listSets(options.dataFolder);
  const rels = options.rels.length === 0 ? DEFAULT_RELS : [...new Set(options.rels)];
  const frames = options.frameSamples === undefined ? DEFAULT_FRAMES : [options.frameSamples];
  const core = loadBatchCore(await readBatchModule());
  for (const set of sets) for (const rel of rels) checkPlan(core, set, rel);
  const jobs = sets.flatMap((set) => rels.map((rel) => ({ set, rel, frames })));
  const cells = await withInterrupt((signal) =>
    measureCells(jobs, { threads: availableParallelism(), signal, onCell: progress(jobs.length, say) }),
  );
  const variant = VARIANTS.at(-1) ?? VARIANTS[0];
  const ours: OursChoice = { variant: variant.name, frames: options.frameSamples ?? HEADLINE_FRAME };
  const encodeNs = encodeNsPerChannelSample(cells, ours);
  const summary = summarise(cells, ours);
  const [lite, liteOverFull] = liteTables(sets, rels, ours.frames);
  return {
    title: "Codec: bits per channel-sample",
    goals: codecGoals(cells, core.stateBytes),
    plots: codecPlots(cells, ours),
    notes: [
      ...CODEC_NOTES,
      ...goalNotes(cells),
      `Encoding ${tell(ours)} took ${encodeNs.toFixed(0)} ns of processor time per channel-sample (batch.wasm).`,
    ],
    ...headlineTable(cells, ours),
    more: [
      lite,
      ...moreTables(cells, frames, ours),
      ...beforeTables(cells, frames),
      ...costTables(cells, core.lookaheadBytes),
    ],
    json: { ...summary, encodeNsPerChannelSample: encodeNs, liteOverFull },
  };
}

/** Refuse at once what no thread could code. */
function checkPlan(core: Core, set: TelemetrySet, rel: number): void {
  if (set.channels > core.maxChannels) {
    throw new RecordingError("too-many-channels", { name: set.name, channels: set.channels, most: core.maxChannels });
  }
  boundsOf(set, rel).forEach((eps, c) => {
    const { min, max } = set.ranges[c] ?? { min: 0, max: 0 };
    try {
      planChannel({ name: `c${c}`, eps, min, max });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new RecordingError("bound-too-fine", { name: set.name, channel: c + 1, rel, because: why }, { cause });
    }
  });
}

/** Run until done or until Ctrl-C. */
async function withInterrupt<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once("SIGINT", stop);
  try {
    return await act(controller.signal);
  } finally {
    process.off("SIGINT", stop);
  }
}

/** One line for each cell. */
function progress(total: number, say: (line: string) => void): (cell: Cell, done: number) => void {
  const started = performance.now();
  return ({ set, rel }, done) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    say(`codec: ${done} of ${total} cells, ${seconds} s: ${set} ${rel}`);
  };
}

function encodeNsPerChannelSample(cells: readonly Cell[], ours: OursChoice): number {
  const runs = cells.map((cell) => cell.ours.find((run) => run.variant === ours.variant && run.frames === ours.frames));
  const all = cells.reduce((sum, cell) => sum + cell.samples * cell.channels, 0);
  return runs.reduce((sum, run) => sum + (run?.encodeNs ?? Number.NaN), 0) / all;
}

/** What `--json` prints: the headline run of each cell, every other run and peer beside it. */
function summarise(cells: readonly Cell[], ours: OursChoice) {
  const means = (names: readonly string[]) =>
    Object.fromEntries(names.map((peer) => [peer, geometricMean(ratiosTo(cells, peer, ours).values)]));
  const coverage = peerNames(cells).map((peer) => [peer, ratiosTo(cells, peer, ours).values.length]);
  const measured = Object.keys(cells[0]?.peers ?? {});
  return {
    variant: ours.variant,
    frameSamples: ours.frames,
    cells: cells.map((cell) => ({
      set: cell.set,
      rel: cell.rel,
      channels: cell.channels,
      samples: cell.samples,
      bitsPerSample: oursOf(cell, ours),
      maxErrorOverEps: Math.max(...cell.ours.map((run) => run.maxErrorOverEps)),
      stateBytes: cell.stateBytes,
      peers: valuesOf(cell, (peer) => peer.bitsPerSample),
      peerMaxErrorOverEps: valuesOf(cell, (peer) => peer.maxErrorOverEps),
      measuredElsewhere: elsewhereOf(cell),
      runs: cell.ours,
      greedy: cell.greedy,
      keyframes: cell.keyed,
    })),
    geomean: means(measured),
    geomeanElsewhere: means(peerNames(cells).filter((peer) => !measured.includes(peer))),
    geomeanBest: means([BEST["without lookahead"], BEST.all]),
    geomeanCells: Object.fromEntries(coverage),
  };
}

function valuesOf(cell: Cell, pick: (peer: PeerResult) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(cell.peers).map(([name, peer]) => [name, pick(peer)]));
}
