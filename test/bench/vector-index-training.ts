import {
  type AnnealingStep,
  type IndexModel,
  openVectors,
  type RobustMean,
  sourceOfArray,
  trainModel,
} from "@lockstep/cloud-node";
import { seededRandom } from "@lockstep/sim";
import { plainKMeans } from "./peers/plain-k-means.ts";
import { median } from "./statistics.ts";
import type { BenchSet } from "./vector-index-sets.ts";

/** Distortion of annealed anchors beside that of plain k-means, after as many iterations. */
export interface DistortionRow {
  readonly set: string;
  readonly m: number;
  readonly iterations: number;
  /** Of each seed: ours over theirs. */
  readonly ratios: readonly number[];
}

const ANCHORS = 64;
const ITERATIONS = 25;
/** Annealing ends with this over all rows. */
const LAST_ITERATIONS = 2;
const SEEDS = [1, 2, 3];
const CODE_BYTES = 32;

export async function compareDistortion(set: BenchSet): Promise<DistortionRow> {
  const { base, n, d, name } = set;
  const source = await openVectors(base, { dtype: "f32", d });
  const rows = new Float32Array(n * d);
  await source.read(0, rows);
  const ratios: number[] = [];
  for (const seed of SEEDS) {
    const steps: AnnealingStep[] = [];
    const iterations = ITERATIONS - LAST_ITERATIONS;
    const common = { m: ANCHORS, codeBytes: CODE_BYTES, metric: "l2", seed, iterations } as const;
    await trainModel(source, { ...common, log: (step) => steps.push(step) });
    ratios.push((steps.at(-1)?.energy ?? Number.NaN) / plainKMeans(rows, d, ANCHORS, ITERATIONS, seed));
  }
  await source.close();
  return { set: name, m: ANCHORS, iterations: ITERATIONS, ratios };
}

/** What blobs and outliers show. */
export interface BlobRow {
  /** Adjusted Rand index of the lists, the worst of the seeds. */
  readonly randIndex: number;
  /** Energy of the last step over that of the first, the worst of the seeds. */
  readonly energyRatio: number;
  /** Error of the centres with outliers, by a robust mean over that by a plain one: the median of the seeds. */
  readonly outlierRatios: Readonly<Record<RobustMean["kind"], number>>;
}

const [BLOB_ROWS, BLOB_D, BLOBS] = [1000, 128, 3];
const OUTLIER_SHARE = 0.05;
/** Farther out than any blob is wide. */
const OUTLIER_DISTANCE = 40;
const BLOB_SEEDS = [1, 2, 3, 4, 5];

export async function trainOnBlobs(): Promise<BlobRow> {
  let [randIndex, energyRatio] = [1, 0];
  const outliers: Record<RobustMean["kind"], number[]> = { trimmed: [], huber: [] };
  for (const seed of BLOB_SEEDS) {
    const clean = blobs(seed, 0);
    const { lists, steps } = await train(clean.rows, seed);
    randIndex = Math.min(randIndex, adjustedRandIndex(clean.labels, lists));
    energyRatio = Math.max(energyRatio, (steps.at(-1)?.energy ?? Number.NaN) / (steps[0]?.energy ?? Number.NaN));
    const dirty = blobs(seed, OUTLIER_SHARE);
    const plain = centreError((await train(dirty.rows, seed)).model, dirty.centres);
    for (const kind of ["trimmed", "huber"] as const) {
      // As a person who knows only that there are some would ask for it.
      const { model } = await train(dirty.rows, seed, { kind, share: 2 * OUTLIER_SHARE });
      outliers[kind].push(centreError(model, dirty.centres) / plain);
    }
  }
  return {
    randIndex,
    energyRatio,
    outlierRatios: { trimmed: median(outliers.trimmed), huber: median(outliers.huber) },
  };
}

async function train(rows: Float32Array, seed: number, robust?: RobustMean) {
  const steps: AnnealingStep[] = [];
  const options = { m: BLOBS, codeBytes: CODE_BYTES, metric: "l2", seed, robust } as const;
  const trained = await trainModel(sourceOfArray(rows, BLOB_D), { ...options, log: (step) => steps.push(step) });
  return { ...trained, steps };
}

/** Gaussian blobs of standard deviation 1, of which some rows lie far off all of them, all to one side. */
function blobs(seed: number, outlierShare: number) {
  const random = seededRandom(seed);
  const centres = Float64Array.from({ length: BLOBS * BLOB_D }, () => 3 * random.gaussian());
  const rows = new Float32Array(BLOB_ROWS * BLOB_D);
  const labels = new Uint32Array(BLOB_ROWS);
  for (let i = 0; i < BLOB_ROWS; i++) {
    const blob = i % BLOBS;
    const off = random.uniform() < outlierShare ? OUTLIER_DISTANCE / Math.sqrt(BLOB_D) : 0;
    labels[i] = blob;
    for (let j = 0; j < BLOB_D; j++) {
      rows[i * BLOB_D + j] = (centres[blob * BLOB_D + j] ?? 0) + (1 + off) * random.gaussian() + 3 * off;
    }
  }
  return { rows, labels, centres };
}

/** Root of the mean squared distance of each true centre from the nearest anchor. */
function centreError({ anchors, rotation, mean, m, paddedD, d }: IndexModel, centres: Float64Array): number {
  let sum = 0;
  for (let blob = 0; blob < BLOBS; blob++) {
    const centred = Float64Array.from({ length: d }, (_, j) => (centres[blob * d + j] ?? 0) - (mean[j] ?? 0));
    const z = Float64Array.from({ length: paddedD }, (_, i) =>
      centred.reduce((total, x, j) => total + x * (rotation[i * paddedD + j] ?? 0), 0),
    );
    const distances = Array.from({ length: m }, (_, a) =>
      z.reduce((total, x, i) => total + (x - (anchors[a * paddedD + i] ?? 0)) ** 2, 0),
    );
    sum += Math.min(...distances);
  }
  return Math.sqrt(sum / BLOBS);
}

/** @see Hubert and Arabie 1985, "Comparing partitions" */
export function adjustedRandIndex(a: Uint32Array, b: Uint32Array): number {
  const pairs = (count: number) => (count * (count - 1)) / 2;
  const tally = (keys: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts.values()].reduce((sum, count) => sum + pairs(count), 0);
  };
  const both = tally(Array.from(a, (label, i) => `${label} ${b[i]}`));
  const [left, right] = [tally(Array.from(a, String)), tally(Array.from(b, String))];
  const expected = (left * right) / pairs(a.length);
  return (both - expected) / ((left + right) / 2 - expected);
}
