import type { BenchPlot } from "./bench.ts";
import type { VectorIndexFindings } from "./vector-index-report.ts";
import type { BenchSet } from "./vector-index-sets.ts";

/** One index of a set, as `--json` prints it. */
interface IndexRow {
  readonly name: string;
  /** Without ids. */
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly recallAt10: number | null;
  readonly qps: number | null;
  readonly buildSeconds: number | null;
  readonly peakRssMB: number | null;
}

/** Every index that was built of a set. */
export function indexesOf(found: VectorIndexFindings, set: BenchSet): IndexRow[] {
  return [...ours(found, set), ...atTarget(found, set), ...large(found, set), ...faissRows(found, set)];
}

function ours({ recall }: VectorIndexFindings, set: BenchSet): IndexRow[] {
  return recall
    .filter((row) => row.set === set.name)
    .map(({ bytes, bytesPerVector, indexBytes, recall: recallAt10, qps, buildSeconds, peakRssMB }) => {
      const name = `lockstep, ${bytes} B, all lists`;
      return { name, bytesPerVector, indexBytes, recallAt10, qps, buildSeconds, peakRssMB };
    });
}

function atTarget({ speed }: VectorIndexFindings, set: BenchSet): IndexRow[] {
  return speed
    .filter((table) => table.set === set)
    .flatMap(({ target, rows }) =>
      rows.map(({ process: { name, built }, points, qpsAtTarget }) => {
        const isReached = Number.isFinite(qpsAtTarget);
        const best = Math.max(...points.map(({ recall }) => recall));
        const { bytesPerVector, indexBytes, cpuSeconds: buildSeconds, peakRssMB } = built;
        return {
          ...{ name: name.replace("ours", "lockstep"), bytesPerVector, indexBytes },
          ...{ recallAt10: isReached ? target : best, qps: isReached ? qpsAtTarget : null, buildSeconds, peakRssMB },
        };
      }),
    );
}

function large({ large: found }: VectorIndexFindings, set: BenchSet): IndexRow[] {
  if (found === undefined || found.set !== set) return [];
  const { process, points } = found;
  const { bytesPerVector, indexBytes, cpuSeconds: buildSeconds, peakRssMB } = process.built;
  return points.map(({ effort, recall: recallAt10, qps }) => {
    return { name: `lockstep, ${effort} lists`, bytesPerVector, indexBytes, recallAt10, qps, buildSeconds, peakRssMB };
  });
}

function faissRows({ faiss }: VectorIndexFindings, set: BenchSet): IndexRow[] {
  const { pq = [], speed = [] } = faiss.get(set) ?? {};
  return [
    ...pq.map(({ kind, bytes, seed, recall: recallAt10, seconds: buildSeconds }) => {
      const codebook = set.d * 256 * 4;
      const name = `faiss ${kind}, Debian's generic build, seed ${seed}`;
      return {
        name,
        bytesPerVector: bytes,
        indexBytes: codebook,
        recallAt10,
        qps: null,
        buildSeconds,
        peakRssMB: null,
      };
    }),
    ...speed.map(({ name, probes, bytesPerVector, indexBytes, recallAt10, qps, buildSeconds, peakRssMB }) => {
      const label = `faiss ${name}, Debian's generic build, ${probes} probes`;
      return { name: label, bytesPerVector, indexBytes, recallAt10, qps, buildSeconds, peakRssMB };
    }),
  ];
}

/** Speed against recall, every index that was swept. */
export function recallPlot({ speed }: VectorIndexFindings): BenchPlot {
  const values = speed.flatMap(({ set, rows }) =>
    rows.flatMap(({ process: { name }, points }) =>
      points.map(({ recall, qps }) => ({ set: set.name, index: name, recall, qps })),
    ),
  );
  return {
    name: "vector-index-speed",
    caption:
      "Queries a second of one thread against recall@10, up to the recall at which they are compared; higher and further right is better.",
    spec: {
      data: { values },
      facet: { column: { field: "set", type: "nominal", title: null } },
      spec: {
        width: 300,
        height: 260,
        mark: { type: "line", point: { size: 30 } },
        encoding: {
          x: { field: "recall", type: "quantitative", scale: { zero: false }, axis: { title: "recall@10" } },
          y: { field: "qps", type: "quantitative", scale: { type: "log" }, axis: { title: "queries/s", format: "~s" } },
          color: { field: "index", type: "nominal", legend: { title: null } },
        },
      },
    },
  };
}
