import { createWriteStream, type WriteStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { finished } from "node:stream/promises";
import { formatCount, formatQuantity, formatRatio } from "../../api/number-text.ts";
import { buildIndex } from "../../workloads/vector-index/build-index.ts";
import { indexAccount } from "../../workloads/vector-index/index-account.ts";
import { GROUP_DIMS } from "../../workloads/vector-index/model.ts";
import { openVectors } from "../../workloads/vector-index/open-vectors.ts";
import type { AnnealingStep, TrainCheckpoint } from "../../workloads/vector-index/train-options.ts";
import type { VectorSource } from "../../workloads/vector-index/vector-source.ts";
import { TYPE_BYTES } from "../../workloads/vector-index/vector-type.ts";
import { CommandError } from "../command-error.ts";
import { aboutRoom, checkFiles, replaceWhole } from "../partial-file.ts";
import type { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { BuildCommandOptions } from "../vector-index.ts";
import { interruptible } from "./interruptible.ts";

const KILOBYTE = 1024;
/** A bit for each dimension of one block. */
const LEAST_CODE_BYTES = GROUP_DIMS / 8;

/** `lockstep vector-index build`. */
export async function runBuild(
  surroundings: Surroundings,
  argument: string | undefined,
  options: BuildCommandOptions,
): Promise<void> {
  const { out, checkpoint, json } = options;
  const input = argument ?? options.emb;
  if (input === undefined) throw new CommandError("usage", "no vectors are named", "name their file");
  if (argument !== undefined && options.emb !== undefined) {
    throw new CommandError("usage", "the vectors are named twice", "leave out --emb");
  }
  await checkOutputs(input, options);
  const source = await openVectors(input, options);
  const left = checkpoint === undefined ? "nothing was written" : `the same command goes on from ${checkpoint}`;
  try {
    const startedMs = surroundings.clock.nowMs();
    const report = await interruptible(surroundings, "vector-index build", left, (progress, signal) =>
      build(source, options, progress, signal, () => surroundings.clock.nowMs()),
    );
    if (checkpoint !== undefined) await rm(checkpoint, { force: true });
    const seconds = (surroundings.clock.nowMs() - startedMs) / 1000;
    const { facts, error, wantedLists } = report;
    const { parts, ...account } = indexAccount(facts);
    const { n, d, m, metric, fileBytes } = facts;
    const inputBytes = n * d * TYPE_BYTES[source.dtype];
    const peakRssMB = (process.resourceUsage().maxRSS * KILOBYTE) / 1e6;
    const result = {
      ...{ input, output: out, n, d, m, wantedLists, metric, ...account, fileBytes, ratio: inputBytes / fileBytes },
      ...{ rmsError: error?.rms ?? null, relativeError: error?.relative ?? null },
      ...{ seconds, trainSeconds: report.seconds.train, encodeSeconds: report.seconds.encode, peakRssMB },
    };
    await writeResult(surroundings, json, result, resultLine(result));
  } finally {
    await source.close();
  }
}

async function build(
  source: VectorSource,
  options: BuildCommandOptions,
  progress: ProgressLine,
  signal: AbortSignal,
  nowMs: () => number,
) {
  const {
    out,
    m,
    codeBytes = Math.max(LEAST_CODE_BYTES, Math.ceil(source.d / 2)),
    metric,
    seed,
    iterations,
    robust,
    rerank,
    device,
  } = options;
  const log = options.log === undefined ? undefined : createWriteStream(options.log);
  // An error is told at the end of the stream.
  log?.on("error", () => {});
  let stage = "";
  try {
    const report = await buildIndex(source, out, {
      ...{ m, codeBytes, metric, seed, iterations, robust, rerank, device, signal, nowMs },
      checkpoint: options.checkpoint === undefined ? undefined : checkpointFile(options.checkpoint),
      log: (step) => log?.write(stepLine(step)),
      progress: (now) => {
        if (now.stage !== stage) progress.stage(now.stage);
        stage = now.stage;
        progress.update(now.done, now.total);
      },
    });
    await endLog(log);
    return report;
  } catch (error) {
    log?.destroy();
    throw aboutRoom(error, out);
  }
}

function stepLine(step: AnnealingStep): string {
  return `${JSON.stringify(step)}\n`;
}

async function endLog(log: WriteStream | undefined): Promise<void> {
  if (log === undefined) return;
  log.end();
  await finished(log);
}

/** State of training in a file, which is always whole. */
function checkpointFile(path: string): TrainCheckpoint {
  return {
    load: async () =>
      await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      }),
    save: async (bytes) => await replaceWhole(path, bytes),
  };
}

/** @throws {CommandError} for a file that cannot be written, or that is to be two things */
async function checkOutputs(input: string, { out, log, checkpoint }: BuildCommandOptions): Promise<void> {
  await checkFiles(input, out);
  await checkFiles(input, checkpoint);
  const named = [input, out, ...(log === undefined ? [] : [log]), ...(checkpoint === undefined ? [] : [checkpoint])];
  const paths = named.map((file) => resolve(file));
  const twice = named.find((_, i) => paths.indexOf(paths[i] ?? "") < i);
  if (twice === undefined) return;
  throw new CommandError("usage", `${twice} is named for two things`, "give each a name of its own");
}

function resultLine({
  output,
  n,
  d,
  m,
  wantedLists,
  bytesPerVector,
  indexBytes,
  ratio,
  relativeError,
  seconds,
}: {
  readonly output: string;
  readonly n: number;
  readonly d: number;
  readonly m: number;
  readonly wantedLists: number;
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly ratio: number;
  readonly relativeError: number | null;
  readonly seconds: number;
}): string {
  const kept = relativeError === null ? "" : `, ${(100 * (1 - relativeError)).toFixed(2)} % of the variance kept`;
  const fewer = m === wantedLists ? "" : ` (not ${formatCount(wantedLists)}: too few of the rows differ)`;
  const bytes = `${formatQuantity(bytesPerVector, "B", "up")} each and ${formatQuantity(indexBytes, "B", "up")} once`;
  return `${output}: ${formatCount(n)} x ${d} in ${formatCount(m)} lists${fewer}, ${bytes}, ${formatRatio(ratio)}${kept}, ${formatQuantity(seconds, "s", "up")}`;
}
