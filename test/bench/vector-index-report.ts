import type { BenchReport, BenchTable } from "./bench.ts";
import type { ChurnRow } from "./vector-index-churn.ts";
import { FAISS_AVX2 } from "./vector-index-elsewhere.ts";
import type { FaissFindings } from "./vector-index-faiss.ts";
import { bestPq, goalsOf } from "./vector-index-goals.ts";
import type { DeviceRow } from "./vector-index-gpu.ts";
import { indexesOf, recallPlot } from "./vector-index-json.ts";
import type { RecallRow } from "./vector-index-recall.ts";
import type { BenchSet } from "./vector-index-sets.ts";
import type { LargeRow, SpeedTable } from "./vector-index-subjects.ts";
import type { BlobRow, DistortionRow } from "./vector-index-training.ts";

/** Everything that was measured. */
export interface VectorIndexFindings {
  readonly sets: readonly BenchSet[];
  readonly recall: readonly RecallRow[];
  readonly churned: readonly ChurnRow[];
  readonly distortion: readonly DistortionRow[];
  readonly blobs: BlobRow;
  readonly devices: readonly DeviceRow[];
  /** Undefined where FAISS is not installed. */
  readonly faiss: ReadonlyMap<BenchSet, FaissFindings | undefined>;
  readonly speed: readonly SpeedTable[];
  /** Undefined in the quick form. */
  readonly large: LargeRow | undefined;
}

/** Everything that was measured, as tables, goals and a plot. */
export function reportOf(found: VectorIndexFindings): BenchReport {
  const { faiss } = found;
  const [library] = [...faiss.values()];
  const origin =
    library === undefined
      ? "python3-faiss is not installed here, or this is the quick form: no quantiser was measured."
      : `FAISS ${library.version} of Debian, compiled as "${library.options}": without AVX2, so its speeds say little of FAISS; its recalls do not depend on that.`;
  return {
    title: "Compressed vectors",
    ...recallTable(found),
    goals: goalsOf(found),
    plots: [recallPlot(found)],
    more: [
      ...found.speed.map((table) => speedTable(table, found)),
      elsewhereTable(),
      ...(found.large === undefined ? [] : [largeTable(found.large)]),
      trainingTable(found),
    ],
    notes: [
      "Sets: those of --data, and clusters-N, made by `test/bench/vector-index-clusters.ts`: unequal clusters, variance of the i-th direction as 1 / i, length 1. Recall@10 is held against an exact search in doubles, compared with the saved one where there is one.",
      "Bytes are those of a vector's code and side data, or of its links and copy, without its id; what an index costs once stands beside them, and on small sets it is most of the file.",
      "Times are processor times of one thread, in turns, the median of 8; every index is in a process of its own, and peak memory is that process's, with the vectors where the library wants them in memory.",
      "usearch compares int8 vectors by their direction: of sets that are not of one length it finds less. hnswlib is compiled for this machine.",
      "Sets of a few thousand vectors flatter scalar codes against product quantisers, whose codebooks want more data. Queries are of the distribution of the vectors: others were not tested.",
      origin,
    ],
    json: {
      sets: [...found.sets, ...(found.large === undefined ? [] : [found.large.set])].map((set) => {
        return { set: set.name, n: set.n, d: set.d, indexes: indexesOf(found, set) };
      }),
    },
  };
}

function recallTable({ sets, recall, faiss }: VectorIndexFindings): Pick<BenchTable, "columns" | "rows"> {
  return {
    columns: [
      ...["set", "bytes each", "once, kB", "recall@10, all lists", "8-bit PQ, same bytes", "residual IVF-PQ"],
      ...["build s", "peak MB"],
    ],
    rows: recall.map((row) => {
      const set = sets.find(({ name }) => name === row.set);
      const pq = (set === undefined ? undefined : faiss.get(set))?.pq ?? [];
      const of = (kind: string) => {
        const mean = bestPq(
          pq.filter((run) => run.kind === kind),
          row.bytes,
        );
        return Number.isNaN(mean) ? "" : mean.toFixed(3);
      };
      return [
        ...[row.set, row.bytesPerVector.toFixed(0), (row.indexBytes / 1e3).toFixed(0), row.recall.toFixed(3)],
        ...[of("PQ"), of("residual IVF-PQ"), row.buildSeconds.toFixed(2), row.peakRssMB.toFixed(0)],
      ];
    }),
  };
}

function speedTable({ set, target, rows }: SpeedTable, { faiss }: VectorIndexFindings): BenchTable {
  const generic = (faiss.get(set)?.speed ?? []).filter(({ recallAt10 }) => recallAt10 >= target);
  const first = generic.filter((run, i) => generic.findIndex(({ name }) => name === run.name) === i);
  return {
    title: `Speed at recall@10 ${target}: ${set.name}, ${set.n} x ${set.d}, one thread; FAISS at its first step above it`,
    columns: ["index", "bytes each", "once, kB", "lists or ef", "queries/s", "build s", "peak MB"],
    rows: [
      ...rows.map(({ process: { name, built }, qpsAtTarget, effortAtTarget }) => [
        ...[name, built.bytesPerVector.toFixed(0), (built.indexBytes / 1e3).toFixed(0), effortAtTarget],
        ...[Number.isNaN(qpsAtTarget) ? "never" : qpsAtTarget.toFixed(0), built.cpuSeconds.toFixed(1)],
        built.peakRssMB.toFixed(0),
      ]),
      ...first.map((run) => [
        ...[`FAISS ${run.name}, generic build`, run.bytesPerVector, (run.indexBytes / 1e3).toFixed(0), run.probes],
        ...[run.qps.toFixed(0), run.buildSeconds.toFixed(1), run.peakRssMB.toFixed(0)],
      ]),
    ],
  };
}

function elsewhereTable(): BenchTable {
  return {
    title:
      "FAISS with AVX2 on all 59,379 text vectors: from an earlier measurement on a quiet machine, not from this run; bytes with ids",
    columns: ["index", "bytes each", "recall@10", "queries/s"],
    rows: FAISS_AVX2.map(({ index, bytesPerVector, recallAt10, qps: [least, most] }) => {
      return [index, bytesPerVector, recallAt10.toFixed(3), least === most ? least : `${least} to ${most}`];
    }),
  };
}

function largeTable({ set, process, points }: LargeRow): BenchTable {
  const { built } = process;
  const cost = `${built.bytesPerVector.toFixed(0)} B each and ${(built.indexBytes / 1e6).toFixed(1)} MB once`;
  const time = `built in ${built.seconds.toFixed(0)} s (${built.cpuSeconds.toFixed(0)} s of processor time)`;
  return {
    title: `${set.n} x ${set.d}: ${cost}, ${time}, at most ${built.peakRssMB.toFixed(0)} MB of memory`,
    columns: ["lists visited", "recall@10", "queries/s"],
    rows: points.map(({ effort, recall, qps }) => [effort, recall.toFixed(3), qps.toFixed(0)]),
  };
}

function trainingTable({ distortion, blobs, churned, devices }: VectorIndexFindings): BenchTable {
  return {
    title: "Training, changes, devices",
    columns: ["what", "measured"],
    rows: [
      ...distortion.map(({ set, m, iterations, ratios }) => [
        `distortion beside plain k-means, ${set}, ${m} anchors, ${iterations} iterations, by seed`,
        ratios.map((ratio) => ratio.toFixed(4)).join(", "),
      ]),
      ["error of centres with 5 % outliers, trimmed, beside the plain mean", blobs.outlierRatios.trimmed.toFixed(3)],
      ["the same by Huber's weights", blobs.outlierRatios.huber.toFixed(3)],
      [
        "adjusted Rand index of 3 blobs, energy at the end over the beginning",
        `${blobs.randIndex}, ${blobs.energyRatio.toFixed(3)}`,
      ],
      ...churned.map(({ set, codeBytes, changed, fresh, difference }) => [
        `recall after churn and maintain, and of a fresh build, ${set}, codes of ${codeBytes} B`,
        `${changed.toFixed(4)}, ${fresh.toFixed(4)}; lost ${difference.toFixed(4)}`,
      ]),
      ...devices.map(({ device, differing, numbers, seconds, cpuSeconds, problem }) => [
        `training by WGSL beside WebAssembly, ${device === "gpu" ? "a graphics processor" : "software OpenGL"}`,
        problem === ""
          ? `${differing} of ${numbers} numbers differ; ${seconds.toFixed(2)} s beside ${cpuSeconds.toFixed(2)} s`
          : problem,
      ]),
    ],
  };
}
