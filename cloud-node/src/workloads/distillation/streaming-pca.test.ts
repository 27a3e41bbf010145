import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import { StreamingPca } from "./streaming-pca.ts";
import { subspaceAngle } from "./subspace-angle.ts";

/** Rows whose spectrum falls like that of a model's activations, around a mean that is not zero. */
function drawRows(count: number, width: number, seed: number): Float64Array[] {
  const random = new RandomStream(seed, "rows");
  const mix = Array.from({ length: width }, () => Float64Array.from({ length: width }, () => random.nextNormal()));
  return Array.from({ length: count }, (_, at) => {
    const row = new Float64Array(width).fill(3 + at / count);
    for (const [rank, direction] of mix.entries()) {
      const size = random.nextNormal() / (1 + rank) ** 1.5;
      for (let i = 0; i < width; i += 1) row[i] = (row[i] as number) + size * (direction[i] as number);
    }
    return row;
  });
}

/** All eigenvectors of the covariance, by Jacobi's rotations of the whole symmetric matrix, the largest first. */
function eigenOf(rows: readonly Float64Array[]): { values: number[]; vectors: Float64Array[] } {
  const width = rows[0]?.length ?? 0;
  const mean = Array.from(
    { length: width },
    (_, i) => rows.reduce((sum, row) => sum + (row[i] as number), 0) / rows.length,
  );
  const matrix = Array.from({ length: width }, (_, i) =>
    Float64Array.from({ length: width }, (_, j) => {
      let sum = 0;
      for (const row of rows)
        sum += ((row[i] as number) - (mean[i] as number)) * ((row[j] as number) - (mean[j] as number));
      return sum / rows.length;
    }),
  );
  const at = (i: number, j: number) => matrix[i]?.[j] as number;
  const vectors = Array.from({ length: width }, (_, i) =>
    Float64Array.from({ length: width }, (_, j) => (i === j ? 1 : 0)),
  );
  for (let sweep = 0; sweep < 30; sweep += 1) {
    for (let p = 0; p < width; p += 1) {
      for (let q = p + 1; q < width; q += 1) {
        if (Math.abs(at(p, q)) < 1e-300) continue;
        const angle = 0.5 * Math.atan2(2 * at(p, q), at(q, q) - at(p, p));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const turn = (of: readonly Float64Array[], i: number) => {
          const row = of[i] as Float64Array;
          const [x, y] = [row[p] as number, row[q] as number];
          [row[p], row[q]] = [c * x - s * y, s * x + c * y];
        };
        for (let i = 0; i < width; i += 1) turn(matrix, i);
        const [a, b] = [matrix[p], matrix[q]] as [Float64Array, Float64Array];
        for (let j = 0; j < width; j += 1) {
          const [x, y] = [a[j] as number, b[j] as number];
          [a[j], b[j]] = [c * x - s * y, s * x + c * y];
        }
        for (let i = 0; i < width; i += 1) turn(vectors, i);
      }
    }
  }
  const order = Array.from({ length: width }, (_, i) => i).sort((i, j) => at(j, j) - at(i, i));
  return {
    values: order.map((i) => at(i, i)),
    vectors: order.map((i) => Float64Array.from(vectors, (row) => row[i] as number)),
  };
}

function streamed(rows: readonly Float64Array[], rank: number): StreamingPca {
  const pca = new StreamingPca(rows[0]?.length ?? 0, rank);
  for (const row of rows) pca.add(row);
  return pca;
}

test("kept components are those of the full eigendecomposition, within a thousandth of a radian", () => {
  const rows = drawRows(1500, 40, 7);
  const { values, vectors } = eigenOf(rows);
  const { basis, variances, totalVariance, count } = streamed(rows, 24).components(6);
  expect(count).toBe(1500);
  expect(subspaceAngle(vectors.slice(0, 6), basis)).toBeLessThan(1e-3);
  for (const [at, variance] of variances.entries()) expect(variance / (values[at] as number)).toBeCloseTo(1, 5);
  expect(totalVariance / values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
});

test("with room for every direction nothing is lost but rounding", () => {
  const rows = drawRows(300, 12, 3);
  const { values, vectors } = eigenOf(rows);
  const { basis, variances } = streamed(rows, 12).components();
  expect(subspaceAngle(vectors.slice(0, 5), basis.slice(0, 5))).toBeLessThan(1e-9);
  for (const [at, variance] of variances.entries())
    expect(Math.abs(variance - (values[at] as number))).toBeLessThan(1e-10);
});

test("a stream holds no more after ten times the rows, by its own count and by the engine's", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const [width, rank] = [64, 8];
  const rows = drawRows(400, width, 11);
  const pca = new StreamingPca(width, rank);
  const feed = (times: number) => {
    for (let time = 0; time < times; time += 1) for (const row of rows) pca.add(row);
    pca.components();
    collect();
    return { counted: pca.heldNumbers, bytes: process.memoryUsage().arrayBuffers };
  };
  const [once, often] = [feed(1), feed(10)];
  expect(often.counted).toBe(once.counted);
  expect(often.counted).toBeLessThanOrEqual(StreamingPca.mostNumbers(width, rank));
  // Were rows kept, there would be 2 MB of them.
  expect(often.bytes - once.bytes).toBeLessThan(200_000);
});

test("rows of few directions give as many components, and no more", () => {
  const [a, b] = drawRows(2, 16, 9) as [Float64Array, Float64Array];
  const random = new RandomStream(5, "two directions");
  const rows = Array.from({ length: 200 }, () => {
    const [x, y] = [random.nextNormal(), random.nextNormal()];
    return a.map((number, at) => x * number + y * (b[at] as number));
  });
  const { variances } = streamed(rows, 8).components();
  expect(variances.filter((variance) => variance > 1e-12)).toHaveLength(2);
});

test("an angle tells apart what is turned, however little", () => {
  const turn = 1e-6;
  const [x, y] = [Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0)];
  const turned = Float64Array.of(0, Math.cos(turn), Math.sin(turn));
  expect(subspaceAngle([x, y], [y, x])).toBeLessThan(1e-15);
  expect(subspaceAngle([x, y], [x, turned])).toBeCloseTo(turn, 12);
  expect(subspaceAngle([x], [y])).toBeCloseTo(Math.PI / 2, 12);
});
