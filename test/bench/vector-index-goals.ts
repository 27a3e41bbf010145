import type { BenchGoal } from "./bench.ts";
import type { PqRun } from "./vector-index-faiss.ts";
import type { VectorIndexFindings } from "./vector-index-report.ts";
import { pqBytes, smallBytes } from "./vector-index-sizes.ts";

/** Recall that was promised of the codes alone, by the sets' names and what a vector may cost. */
const RECALLS: readonly (readonly [set: RegExp, bytes: number, must: number, aim: number])[] = [
  [/^sift/, 40, 0.88, 0.91],
  [/^text/, 40, 0.83, 0.87],
  [/^sift/, 72, 0.955, 0.97],
  [/^text/, 72, 0.94, 0.96],
  [/^(sift|text)/, 136, 0.985, 0.995],
  [/^mnist/, 66, 0.9, 0.93],
  [/^mnist/, 108, 0.94, 0.96],
];

/** What was promised, and what was measured. */
export function goalsOf(found: VectorIndexFindings): BenchGoal[] {
  return [
    ...recallGoals(found),
    ...pqGoals(found),
    ...speedGoals(found),
    ...trainingGoals(found),
    ...largeGoals(found),
  ];
}

function recallGoals({ recall }: VectorIndexFindings): BenchGoal[] {
  return RECALLS.flatMap(([set, bytes, must, aim]) =>
    recall
      .filter((row) => set.test(row.set) && row.bytes === bytes)
      .map((row) => ({
        what: `recall@10 of all lists, ${row.set}, ${row.bytesPerVector.toFixed(0)} of ${bytes} B`,
        measured: row.recall,
        unit: "",
        must: { atLeast: must },
        aim,
      })),
  );
}

/** Mean recall over the seeds, of whichever kind of quantiser is better. */
export function bestPq(runs: readonly PqRun[], bytes: number): number {
  const kinds = Map.groupBy(
    runs.filter((run) => run.bytes === bytes),
    ({ kind }) => kind,
  );
  const means = [...kinds.values()].map((own) => own.reduce((sum, run) => sum + run.recall, 0) / own.length);
  return means.length === 0 ? Number.NaN : Math.max(...means);
}

function pqGoals({ sets, recall, faiss }: VectorIndexFindings): BenchGoal[] {
  return sets.flatMap((set) => {
    const pq = faiss.get(set)?.pq ?? [];
    if (pq.length === 0) return [];
    const ours = (bytes: number) => recall.find((row) => row.set === set.name && row.bytes === bytes)?.recall;
    const points = (own: number | undefined, bytes: number) => 100 * ((own ?? Number.NaN) - bestPq(pq, bytes));
    const equal = pqBytes(set.d).map((bytes): BenchGoal => {
      const what = `points of recall above 8-bit PQ, ${set.name}, both ${bytes} B`;
      return { what, measured: points(ours(bytes), bytes), unit: "points", must: { atLeast: 0 }, aim: 5 };
    });
    if (set.d !== 128) return equal;
    const [small, nearest] = [smallBytes(set.d), pqBytes(set.d)[0] ?? 0];
    const what = `points of recall above 8-bit PQ, ${set.name}, ${small} B against ${nearest}`;
    return [...equal, { what, measured: points(ours(small), nearest), unit: "points", must: { atLeast: 3 }, aim: 5 }];
  });
}

function speedGoals({ speed }: VectorIndexFindings): BenchGoal[] {
  return speed.flatMap(({ set, target, rows }): BenchGoal[] => {
    const row = (name: string) => rows.find(({ process }) => process.name.startsWith(name));
    const [ours, peer, hnswlib] = [row("ours"), row("usearch i8"), row("hnswlib")];
    if (ours === undefined || peer === undefined) return [];
    const size = (of: typeof ours) => of.process.built.bytesPerVector + of.process.built.indexBytes / set.n;
    const goals: BenchGoal[] = [
      {
        what: `queries/s at recall ${target} beside usearch i8, ${set.name}`,
        measured: ours.qpsAtTarget / peer.qpsAtTarget,
        unit: "x",
        must: { atLeast: 1.2 },
        aim: 4,
      },
      {
        what: `bytes of it beside usearch i8, all of the index counted, ${set.name}`,
        measured: size(ours) / size(peer),
        unit: "x",
        must: { atMost: 1 / 3 },
        aim: 1 / 4,
      },
    ];
    if (hnswlib === undefined || set.n < 100_000) return goals;
    const build = hnswlib.process.built.cpuSeconds / ours.process.built.cpuSeconds;
    const what = `processor time of building beside hnswlib's, ${set.name}`;
    return [...goals, { what, measured: build, unit: "x less", must: { atLeast: 3 }, aim: 10 }];
  });
}

function trainingGoals({ distortion, blobs, churned, devices }: VectorIndexFindings): BenchGoal[] {
  const worst = (values: readonly number[]) => (values.length === 0 ? Number.NaN : Math.max(...values));
  const parity = devices.filter(({ problem }) => problem === "").map(({ differing }) => differing);
  return [
    ...distortion.map(({ set, ratios }): BenchGoal => {
      const what = `distortion beside plain k-means, equal iterations, ${set}, the worst of ${ratios.length} seeds`;
      return { what, measured: worst(ratios), unit: "x", must: { atMost: 1.01 }, aim: 0.98 };
    }),
    {
      what: "error of centres with 5 % outliers, trimmed beside plain mean, median",
      measured: blobs.outlierRatios.trimmed,
      unit: "x",
      must: { atMost: 0.5 },
    },
    ...churned.map(({ set, difference }): BenchGoal => {
      const what = `recall lost by 10 % churn and maintain beside a fresh build, ${set}, median`;
      return { what, measured: difference, unit: "", must: { atMost: 0.005 } };
    }),
    {
      what: "numbers that differ between WGSL and WebAssembly after training",
      measured: worst(parity),
      unit: "",
      must: { atMost: 0 },
    },
    {
      what: "adjusted Rand index of 3 blobs, the worst of 5",
      measured: blobs.randIndex,
      unit: "",
      must: { atLeast: 1 },
    },
    {
      what: "energy at the end over the beginning, 3 blobs, the worst of 5",
      measured: blobs.energyRatio,
      unit: "x",
      must: { below: 1 },
    },
  ];
}

function largeGoals({ large }: VectorIndexFindings): BenchGoal[] {
  if (large === undefined) return [];
  const { process } = large;
  const what = "peak memory of building 1,000,000 x 128";
  return [{ what, measured: process.built.peakRssMB, unit: "MB", must: { below: 2000 } }];
}
