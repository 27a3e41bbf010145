import { sourceOfArray, type TrainOptions, trainModel, VectorIndexError } from "@lockstep/cloud-node";
import { seededRandom } from "@lockstep/sim";

/** A model that was trained by WGSL beside the one that WebAssembly trained. */
export interface DeviceRow {
  readonly device: "gpu" | "software-gpu";
  /** Anchors, lists and the rotation that follows from them: numbers that are not the same; unknown without a device. */
  readonly differing: number;
  readonly numbers: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly problem: string;
}

const [N, D, M] = [4096, 64, 48];

/** Train on a graphics processor and on the processor; on software OpenGL where there is no other. */
export async function compareDevices(): Promise<DeviceRow[]> {
  const random = seededRandom(5);
  const rows = Float32Array.from({ length: N * D }, () => random.gaussian());
  const options = { m: M, codeBytes: D / 2, metric: "l2", seed: 1, iterations: 4 } as const;
  const begun = performance.now();
  const theirs = await trainModel(sourceOfArray(rows, D), options);
  const cpuSeconds = (performance.now() - begun) / 1000;
  const found: DeviceRow[] = [];
  for (const device of ["gpu", "software-gpu"] as const) {
    const started = performance.now();
    try {
      const ours = await trainModel(sourceOfArray(rows, D), { ...options, device } as TrainOptions);
      const pairs = [
        [ours.lists, theirs.lists],
        [ours.model.anchors, theirs.model.anchors],
        [ours.model.rotation, theirs.model.rotation],
      ] as const;
      const differing = pairs.reduce((sum, [a, b]) => sum + countDiffering(a, b), 0);
      const numbers = pairs.reduce((sum, [, b]) => sum + b.length, 0);
      found.push({
        device,
        differing,
        numbers,
        seconds: (performance.now() - started) / 1000,
        cpuSeconds,
        problem: "",
      });
    } catch (error) {
      if (!(error instanceof VectorIndexError)) throw error;
      found.push({
        device,
        differing: Number.NaN,
        numbers: 0,
        seconds: Number.NaN,
        cpuSeconds,
        problem: error.problem,
      });
    }
  }
  return found;
}

function countDiffering(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = Math.abs(a.length - b.length);
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) count++;
  return count;
}
