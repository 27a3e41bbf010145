import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatCount, formatNumber, formatQuantity } from "../../api/number-text.ts";
import { figureSvg } from "../../svg-figure.ts";
import { buildIndex } from "../../workloads/vector-index/build-index.ts";
import { type ExactNeighbours, searchExact } from "../../workloads/vector-index/exact-search.ts";
import { indexAccount } from "../../workloads/vector-index/index-account.ts";
import { IndexFile } from "../../workloads/vector-index/index-file.ts";
import { openVectors } from "../../workloads/vector-index/open-vectors.ts";
import type { SearchSegment } from "../../workloads/vector-index/search-segment.ts";
import { VectorIndexError } from "../../workloads/vector-index/vector-index-error.ts";
import type { VectorSource } from "../../workloads/vector-index/vector-source.ts";
import { checkFiles, replaceWhole } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { EvalCommandOptions } from "../vector-index.ts";
import { interruptible } from "./interruptible.ts";
import { type MeasuredPoint, measurePoints } from "./measure-search.ts";
import { probesOf, rerankOf } from "./probe-choice.ts";
import { probeFigure } from "./probe-figure.ts";
import { type Queries, readQueries } from "./read-queries.ts";

/** The deepest recall that is reported. */
const DEEPEST = 100;
const KILOBYTE = 1024;

/** `lockstep vector-index eval`. */
export async function runEval(
  surroundings: Surroundings,
  input: string,
  vectors: string,
  queryFile: string,
  options: EvalCommandOptions,
): Promise<void> {
  const { plot, json } = options;
  await checkFiles(input, plot);
  const index = await IndexFile.open(input);
  const { facts } = index;
  const source = await openVectors(vectors, options).catch(async (error: unknown) => {
    await index.close();
    throw error;
  });
  try {
    checkSource(index, source);
    const queries = await readQueries(queryFile, facts.d, options);
    const probes = (options.probes ?? doubling(facts.m)).map((count) => probesOf(facts, count));
    const rerank = rerankOf(facts, options.rerank, DEEPEST);
    const buildSeconds = options.build === true ? await buildAgain(surroundings, index, source) : null;
    const segment = await index.segment();
    const { exact, points, exactSeconds } = await interruptible(
      surroundings,
      "vector-index eval",
      "nothing is measured",
      async (progress, signal) => {
        progress.stage("1/2 exact");
        const { clock } = surroundings;
        const startedMs = clock.nowMs();
        const found = await exactNeighbours(index, source, segment, queries, signal, (done, total) =>
          progress.update(done, total),
        );
        const seconds = (clock.nowMs() - startedMs) / 1000;
        progress.stage("2/2 search");
        const measured = await measurePoints(segment, queries, found, { probes, rerank }, clock, (done) => {
          signal.throwIfAborted();
          progress.update(done, probes.length);
        });
        return { exact: found, points: measured, exactSeconds: seconds };
      },
    );
    const { parts, ...account } = indexAccount(facts);
    const { n, d, m, metric, fileBytes } = facts;
    const exactQps = exact.ids.length / DEEPEST / exactSeconds;
    const peakRssMB = (process.resourceUsage().maxRSS * KILOBYTE) / 1e6;
    const result = {
      ...{ index: input, vectors, n, d, m, metric, queries: queries.q, ...account, fileBytes },
      ...{ rerank, exactQps, buildSeconds, peakRssMB, points },
    };
    if (plot !== undefined) await replaceWhole(plot, figureSvg(probeFigure(input, points)));
    await writeResult(surroundings, json, result, evalText(result));
  } finally {
    await source.close();
    await index.close();
  }
}

/** Only the rows that the index was given can be what it is held against. */
function checkSource({ path, facts: { nextId, d } }: IndexFile, { name, n, d: length }: VectorSource): void {
  const remedy = "give what the index was built of, and what was added to it behind that";
  if (length !== d) {
    const problem = `its rows have ${length} numbers, and those of ${path} ${d}`;
    throw new VectorIndexError("bad-shape", problem, remedy, { file: name });
  }
  if (n === nextId) return;
  throw new VectorIndexError("bad-shape", `it has ${n} rows, and ${path} was given ${nextId}`, remedy, { file: name });
}

/** What an exact search finds among the rows that are not deleted. */
async function exactNeighbours(
  { facts: { n, nextId, metric } }: IndexFile,
  source: VectorSource,
  { ids }: SearchSegment,
  queries: Queries,
  signal: AbortSignal,
  progress: (done: number, total: number) => void,
): Promise<ExactNeighbours> {
  const isThere = new Uint8Array(nextId);
  for (const id of ids) isThere[id] = 1;
  const isWanted = n < nextId ? (row: number) => isThere[row] === 1 : undefined;
  return await searchExact(source, queries.values, DEEPEST, metric, { signal, progress, isWanted });
}

/** Seconds that building the index takes on this machine. */
async function buildAgain(surroundings: Surroundings, index: IndexFile, source: VectorSource): Promise<number> {
  const { m, codeBytes, metric, rerank } = index.facts;
  const { seed } = await index.model();
  const folder = await mkdtemp(join(tmpdir(), "lockstep-index-"));
  try {
    const { clock } = surroundings;
    const startedMs = clock.nowMs();
    await interruptible(surroundings, "vector-index eval", "nothing is measured", (progress, signal) =>
      buildIndex(source, join(folder, "again.vlc"), {
        ...{ m, codeBytes, metric, rerank, seed, signal },
        progress: ({ stage, done, total }) => {
          progress.name(`build: ${stage}`);
          progress.update(done, total);
        },
      }),
    );
    return (clock.nowMs() - startedMs) / 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** 1, 2, 4 … and all. */
function doubling(m: number): number[] {
  const counts: number[] = [];
  for (let probes = 1; probes < m; probes *= 2) counts.push(probes);
  return [...counts, m];
}

function evalText({
  index,
  n,
  d,
  queries,
  bytesPerVector,
  indexBytes,
  fileBytes,
  buildSeconds,
  peakRssMB,
  exactQps,
  points,
}: {
  readonly index: string;
  readonly n: number;
  readonly d: number;
  readonly queries: number;
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly fileBytes: number;
  readonly buildSeconds: number | null;
  readonly peakRssMB: number;
  readonly exactQps: number;
  readonly points: readonly MeasuredPoint[];
}): string {
  const rows = [
    ["lists", "recall@1", "@10", "@100", "queries/s", "p50", "p99"],
    ...points.map((point) => [
      ...[formatCount(point.probes), point.recallAt1.toFixed(3), point.recallAt10.toFixed(3)],
      ...[point.recallAt100.toFixed(3), formatNumber(point.qps, "down")],
      ...[formatQuantity(point.p50Us / 1e6, "s", "up"), formatQuantity(point.p99Us / 1e6, "s", "up")],
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => (row[k] ?? "").length)));
  const build = buildSeconds === null ? "" : `; built in ${formatQuantity(buildSeconds, "s", "up")}`;
  const memory = formatQuantity(peakRssMB * 1e6, "B", "up");
  return [
    `${index}: ${formatCount(n)} x ${d}, ${formatQuantity(fileBytes, "B", "up")}${build}`,
    `each ${bytesPerVector} bytes, once ${formatQuantity(indexBytes, "B", "up")}; peak memory ${memory}`,
    `${formatCount(queries)} queries, one thread; exact search: ${formatNumber(exactQps)} queries/s`,
    "",
    ...rows.map((row) => row.map((cell, k) => cell.padStart(widths[k] ?? 0)).join("  ")),
  ].join("\n");
}
