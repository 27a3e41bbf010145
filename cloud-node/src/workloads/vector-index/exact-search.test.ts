import { expect, test } from "vitest";
import { seededRandom } from "../../jobs/seeded-random.ts";
import { NO_ROW, searchExact } from "./exact-search.ts";
import type { Metric } from "./model.ts";
import { sourceOfArray } from "./vector-source.ts";

/** Few different numbers, so that many rows are equally near. */
function values(count: number, seed: string): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => (random() % 7) - 3 + 0.25);
}

/** The plainest way: all distances, sorted. */
function sorted(base: Float32Array, query: Float32Array, d: number, metric: Metric): [distance: number, id: number][] {
  const unit = (row: Float32Array) => row.map((x) => x / (metric === "cosine" ? Math.hypot(...row) : 1));
  const q = unit(query);
  return Array.from({ length: base.length / d }, (_, id): [number, number] => {
    const row = unit(base.subarray(id * d, (id + 1) * d));
    const terms = [...row].map((x, j) => (metric === "ip" ? -x * (q[j] ?? 0) : (x - (q[j] ?? 0)) ** 2));
    return [terms.reduce((sum, term) => sum + term, 0), id];
  }).toSorted(([a, i], [b, j]) => a - b || i - j);
}

test.each<[Metric, number]>([
  ["l2", 1],
  ["l2", 4],
  ["l2", 7],
  ["ip", 3],
  ["ip", 128],
  ["cosine", 16],
  ["cosine", 5],
])("by %s in %d dimensions it finds what sorting all distances finds, ties by number", async (metric, d) => {
  const [n, q, k] = [700, 9, 20];
  const [base, queries] = [values(n * d, "base"), values(q * d, "queries")];
  const found = await searchExact(sourceOfArray(base, d), queries, k, metric);
  for (let i = 0; i < q; i++) {
    const expected = sorted(base, queries.subarray(i * d, (i + 1) * d), d, metric).slice(0, k);
    const ids = found.ids.subarray(i * k, (i + 1) * k);
    const distances = found.distances.subarray(i * k, (i + 1) * k);
    for (const [place, [distance]] of expected.entries()) expect(distances[place]).toBeCloseTo(distance, 5);
    // Lengths that are divided out leave equal vectors a rounding apart.
    if (metric !== "cosine") expect([...ids]).toEqual(expected.map(([, id]) => id));
  }
});

test("a base larger than a block is read in blocks, whatever the length of a row", async () => {
  const [n, d, k] = [5000, 100, 3];
  const base = values(n * d, "base");
  const source = sourceOfArray(base, d);
  let [reads, largest] = [0, 0];
  const watched = {
    ...source,
    read: (row: number, out: Float32Array) => {
      reads += 1;
      largest = Math.max(largest, out.length);
      return source.read(row, out);
    },
  };
  const query = base.slice(4321 * d, 4322 * d);
  const found = await searchExact(watched, query, k, "l2");
  expect([...found.ids]).toEqual(
    sorted(base, query, d, "l2")
      .slice(0, k)
      .map(([, id]) => id),
  );
  expect(found.distances[0]).toBe(0);
  expect(reads).toBeGreaterThan(1);
  expect(largest).toBeLessThan((n * d) / 1.5);
});

test("where there are fewer rows than asked for, the rest is no row", async () => {
  const found = await searchExact(sourceOfArray(Float32Array.of(1, 5), 1), Float32Array.of(4), 4, "l2");
  expect([...found.ids]).toEqual([1, 0, NO_ROW, NO_ROW]);
  expect([...found.distances]).toEqual([1, 9, Infinity, Infinity]);
});

test("queries of another length are refused, and those without a direction by cosine", async () => {
  const source = sourceOfArray(Float32Array.of(1, 2, 3, 4), 2);
  await expect(searchExact(source, new Float32Array(3), 1, "l2")).rejects.toMatchObject({ code: "bad-shape" });
  await expect(searchExact(source, new Float32Array(2), 1, "cosine")).rejects.toMatchObject({ code: "zero-vector" });
});

test("it ends when it is told to", async () => {
  const source = sourceOfArray(Float32Array.of(1, 2), 1);
  await expect(searchExact(source, Float32Array.of(1), 1, "l2", { signal: AbortSignal.abort() })).rejects.toMatchObject(
    { name: "AbortError" },
  );
});
