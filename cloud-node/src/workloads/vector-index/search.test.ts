import { afterAll, expect, test } from "vitest";
import { mergeNeighbours } from "./merge-neighbours.ts";
import type { IndexModel, Metric } from "./model.ts";
import { packRerank, rerankBytes } from "./rerank-row.ts";
import { newCodedRows, ResidualCoder } from "./residual-coder.ts";
import { Searcher } from "./search.ts";
import { SearchPool } from "./search-pool.ts";
import type { Neighbours, SearchSegment } from "./search-segment.ts";
import { SeededNormals, seededModel, seededRows } from "./seeded-vectors.suite.ts";

const N = 3000;
const M = 12;
const K = 10;

/** Rows around a model's anchors, coded, in list order; row i has id i + 100. */
function seededSegment(model: IndexModel, rows = N): SearchSegment & { vectors: Float32Array } {
  const seeded = seededRows(model, rows, 11);
  const order = Uint32Array.from(seeded.lists.keys()).sort(
    (a, b) => (seeded.lists[a] ?? 0) - (seeded.lists[b] ?? 0) || a - b,
  );
  const lists = Uint32Array.from(order, (row) => seeded.lists[row] ?? 0);
  const vectors = new Float32Array(seeded.rows.length);
  order.forEach((row, at) => {
    vectors.set(seeded.rows.subarray(row * model.d, (row + 1) * model.d), at * model.d);
  });
  const coder = new ResidualCoder(model);
  const coded = newCodedRows(rows, coder.codeBytes);
  coder.encode(vectors, lists, coded);
  const listOffsets = Uint32Array.from({ length: model.m + 1 }, (_, list) => lists.filter((of) => of < list).length);
  return { model, listOffsets, ids: order.map((row) => row + 100), vectors, ...coded };
}

/** Queries near some of the rows. */
function seededQueries(segment: SearchSegment & { vectors: Float32Array }, count: number): Float32Array {
  const random = new SeededNormals(5);
  return segment.vectors.slice(0, count * segment.model.d).map((x) => x + 0.5 * random.normal());
}

/** Every row decoded, and compared with every query in double precision. */
function exhaustive(segment: SearchSegment, queries: Float32Array): { id: number; distance: number }[][] {
  const { model, listOffsets, ids } = segment;
  const { d } = model;
  const coder = new ResidualCoder(model);
  const lists = Uint32Array.from(ids, (_, at) => listOffsets.findIndex((offset) => offset > at) - 1);
  const decoded = new Float32Array(ids.length * d);
  coder.decode(segment, lists, decoded);
  return Array.from({ length: queries.length / d }, (_, i) => {
    const query = queries.subarray(i * d, (i + 1) * d);
    const length = model.metric === "cosine" ? Math.hypot(...query) : 1;
    const all = Array.from(ids, (id, at) => {
      let distance = 0;
      for (let j = 0; j < d; j++) {
        const [x, y] = [(query[j] ?? 0) / length, decoded[at * d + j] ?? 0];
        distance += model.metric === "ip" ? -x * y : (x - y) ** 2;
      }
      return { id, distance };
    });
    return all.sort((a, b) => a.distance - b.distance || a.id - b.id);
  });
}

/** What the rounding of a row's term may take from its distance, or add to it. */
function termError({ model: { metric, sigma }, ids, terms }: SearchSegment, id: number): number {
  if (metric === "ip") return 0;
  const half = new Float16Array(terms.buffer)[ids.indexOf(id)] ?? Number.NaN;
  const unit = 2 ** Math.round(Math.log2(sigma.reduce((sum, value) => sum + value ** 2, 0)));
  return Math.abs(half) * unit * 2 ** -11;
}

function rowsOf({ ids, distances }: Neighbours, query: number, k = K) {
  return {
    ids: [...ids.slice(query * k, (query + 1) * k)],
    distances: [...distances.slice(query * k, (query + 1) * k)],
  };
}

const model = seededModel(50, M, [5, 3, 2, 1]);
const segment = seededSegment(model);
const searcher = new Searcher(segment);
const queries = seededQueries(segment, 100);
const pool = new SearchPool(segment, 2);
afterAll(() => pool.close());

test.each<Metric>(["l2", "ip", "cosine"])("with all lists, %s finds what decoding every row finds", (metric) => {
  const own = seededSegment(seededModel(48, M, [8, 3, 1], metric));
  const asked = seededQueries(own, 100);
  const found = new Searcher(own).search(asked, K, { probes: M });
  const expected = exhaustive(own, asked);
  let hits = 0;
  expected.forEach((all, i) => {
    const { ids, distances } = rowsOf(found, i);
    const nearest = new Map(all.slice(0, K).map(({ id, distance }) => [id, distance]));
    for (const [place, id] of ids.entries()) {
      const distance = all.find((row) => row.id === id)?.distance ?? Number.NaN;
      if (nearest.has(id)) hits++;
      // Of a distance the row's term is a half, eleven bits, and the query has 16.
      const tolerance = termError(own, id) + 1e-3 * (1 + Math.abs(distance));
      expect(Math.abs((distances[place] ?? 0) - distance)).toBeLessThan(tolerance);
    }
    expect([...distances].sort((a, b) => a - b)).toEqual(distances);
  });
  // A bound too high costs a row now and then; nothing else may.
  expect(hits / (K * expected.length)).toBeGreaterThan(0.98);
});

test("threads find what one thread finds, bit for bit, whoever gets which queries", async () => {
  const many = seededQueries(segment, 300);
  const expected = searcher.search(many, K, { probes: 5 });
  const found = await Promise.all([
    pool.search(many, K, { probes: 5 }),
    pool.search(many, K, { probes: 5 }),
    pool.search(many, 3, { probes: M }),
  ]);
  expect(found[0]).toEqual(expected);
  expect(found[1]).toEqual(expected);
  expect(found[2]).toEqual(searcher.search(many, 3, { probes: M }));
});

test("shards that own some lists each find together what one search of all lists finds, bit for bit", () => {
  const shards = [0, 1, 2].map((shard) => {
    const keeps = (list: number) => list % 3 === shard;
    const listOf = (at: number) => segment.listOffsets.findIndex((offset) => offset > at) - 1;
    const kept = [...segment.ids.keys()].filter((at) => keeps(listOf(at)));
    const bytes = segment.codes.length / N;
    const codes = new Uint8Array(kept.flatMap((at) => [...segment.codes.subarray(at * bytes, (at + 1) * bytes)]));
    const listOffsets = segment.listOffsets.map((offset) => kept.filter((at) => at < offset).length);
    const pick = <T extends Uint16Array | Uint32Array>(of: T) => of.filter((_, at) => keeps(listOf(at))) as T;
    const [scales, terms, ids] = [pick(segment.scales), pick(segment.terms), pick(segment.ids)];
    return new Searcher({ model, listOffsets, codes, scales, terms, ids });
  });
  for (const probes of [1, 4, M]) {
    const parts = shards.map((shard) => shard.search(queries, K, { probes }));
    expect(mergeNeighbours(parts, K)).toEqual(searcher.search(queries, K, { probes }));
  }
});

test("equal rows are found by rising id", () => {
  const twice = seededSegment(model, 40);
  const same = { ...twice, codes: twice.codes.slice(), scales: twice.scales.slice(), terms: twice.terms.slice() };
  const from = twice.listOffsets[3] ?? 0;
  const to = twice.listOffsets[4] ?? 0;
  const bytes = twice.codes.length / 40;
  expect(to - from).toBeGreaterThan(1);
  for (let at = from; at < to; at++) {
    same.codes.copyWithin(at * bytes, from * bytes, (from + 1) * bytes);
    same.scales[at] = same.scales[from] ?? 0;
    same.terms[at] = same.terms[from] ?? 0;
  }
  const query = twice.vectors.slice(from * model.d, (from + 1) * model.d);
  const { ids } = new Searcher({ ...same, ids: same.ids.slice().reverse() }).search(query, to - from, { probes: M });
  expect([...ids]).toEqual([...ids].sort((a, b) => a - b));
  expect(new Set(ids)).toEqual(new Set(same.ids.slice().reverse().slice(from, to)));
});

test("a query finds each row that it is, and nothing beyond the rows there are", () => {
  const few = seededSegment(model, 5);
  const found = new Searcher(few).search(few.vectors, 8, { probes: M });
  for (let i = 0; i < 5; i++) {
    const { ids, distances } = rowsOf(found, i, 8);
    expect(ids[0]).toBe(few.ids[i]);
    expect([...ids.slice(0, 5)].sort()).toEqual([...few.ids].sort());
    expect(ids.slice(5)).toEqual([0xffffffff, 0xffffffff, 0xffffffff]);
    expect(distances.slice(5)).toEqual([Infinity, Infinity, Infinity]);
  }
});

test("an index without rows, and a search without queries, find nothing", () => {
  const none = seededSegment(model, 0);
  expect(rowsOf(new Searcher(none).search(queries, K, { probes: 2 }), 0).ids).toEqual(new Array(K).fill(0xffffffff));
  expect(searcher.search(new Float32Array(0), K, { probes: 2 }).ids).toEqual(new Uint32Array(0));
});

test("candidates that are ranked again by finer rows come in the order of the rows themselves", async () => {
  const finer = new Uint8Array(N * rerankBytes("f16", model.d));
  const bytes = rerankBytes("f16", model.d);
  const read = (position: number) => finer.subarray(position * bytes, (position + 1) * bytes);
  for (let at = 0; at < N; at++) {
    packRerank("f16", segment.vectors.subarray(at * model.d, (at + 1) * model.d), read(at));
  }
  const tiered = { ...segment, rerank: { kind: "f16", read } } as const;
  const found = new Searcher(tiered).search(queries, K, { probes: M, rerank: 50 });
  let [better, hits] = [0, 0];
  for (let i = 0; i < 100; i++) {
    const query = queries.subarray(i * model.d, (i + 1) * model.d);
    const exact = Array.from(segment.ids, (id, at) => {
      const row = segment.vectors.subarray(at * model.d, (at + 1) * model.d);
      return { id, distance: row.reduce((sum, x, j) => sum + (x - (query[j] ?? 0)) ** 2, 0) };
    }).sort((a, b) => a.distance - b.distance);
    const nearest = new Set(exact.slice(0, K).map(({ id }) => id));
    hits += rowsOf(found, i).ids.filter((id) => nearest.has(id)).length;
    better += rowsOf(searcher.search(query, K, { probes: M }), 0).ids.filter((id) => nearest.has(id)).length;
  }
  expect(hits).toBeGreaterThan(better);
  expect(hits / (100 * K)).toBeGreaterThan(0.95);
  const tieredPool = new SearchPool(tiered, 1);
  expect(await tieredPool.search(queries, K, { probes: M, rerank: 50 })).toEqual(found);
  await tieredPool.close();
});

test("rows that are equally near are found by rising id, whichever sign their zero has", () => {
  const own = seededSegment(seededModel(48, M, [8, 3, 1], "ip"));
  const { ids, distances } = new Searcher(own).search(new Float32Array(48), K, { probes: M });
  expect([...ids]).toEqual([...own.ids].sort((a, b) => a - b).slice(0, K));
  expect([...distances]).toEqual(new Array(K).fill(0));
});

test("a query may be as far away as any row", () => {
  const far = Float32Array.from({ length: model.d }, (_, j) => (j % 2 === 0 ? 9.9e15 : -9.9e15));
  const { distances } = searcher.search(far, K, { probes: M });
  const distance = far.reduce((sum, x) => sum + x * x, 0);
  for (const given of distances) expect(Math.abs(given / distance - 1)).toBeLessThan(1e-5);
});

test("a row is found that has nothing in the dimensions of which a coarse code is made", () => {
  const own: IndexModel = {
    ...seededModel(32, 1, [8, 1]),
    mean: new Float32Array(32),
    anchors: new Float32Array(32),
    rotation: Float32Array.from({ length: 32 * 32 }, (_, at) => Number(at % 33 === 0)),
    sigma: Float32Array.from({ length: 32 }, (_, j) => (j < 16 ? 10 : 1)),
  };
  const fine = Float32Array.from({ length: 32 }, (_, j) => (j < 16 ? 0 : 1));
  const other = Float32Array.from({ length: 32 }, (_, j) => (j < 16 ? Math.SQRT1_2 : 0));
  const coder = new ResidualCoder(own);
  const coded = newCodedRows(2, coder.codeBytes);
  coder.encode(Float32Array.of(...fine, ...other), new Uint32Array(2), coded);
  const rows = { model: own, listOffsets: Uint32Array.of(0, 2), ids: Uint32Array.of(0, 1), ...coded };
  expect(exhaustive(rows, fine)[0]?.map(({ id }) => id)).toEqual([0, 1]);
  expect([...new Searcher(rows).search(fine, 1, { probes: 1 }).ids]).toEqual([0]);
});

test("anchors that are infinitely far lead nowhere", () => {
  const nowhere = { ...model, anchors: model.anchors.map(() => 1e30) };
  const { ids } = new Searcher({ ...segment, model: nowhere }).search(queries, K, { probes: 3 });
  expect(new Set(ids)).toEqual(new Set([0xffffffff]));
});

const one = queries.slice(0, model.d);
test.each([
  ["a query with NaN", [Float32Array.from(one, () => Number.NaN), K, { probes: 1 }], "not-finite"],
  ["a query with Infinity", [one.map(() => Infinity), K, { probes: 1 }], "not-finite"],
  ["a query that no distance can be taken of", [one.map(() => -1.1e16), K, { probes: 1 }], "too-large"],
  ["part of a query", [one.slice(1), K, { probes: 1 }], "bad-shape"],
  ["more probes than lists", [one, K, { probes: M + 1 }], "bad-option"],
  ["no probes", [one, K, { probes: 0 }], "bad-option"],
  ["k of 0", [one, 0, { probes: 1 }], "bad-option"],
  ["k of 2.5", [one, 2.5, { probes: 1 }], "bad-option"],
  ["k of millions", [one, 5e6, { probes: 1 }], "bad-option"],
  ["a rerank without finer rows", [one, K, { probes: 1, rerank: 20 }], "bad-option"],
  ["a rerank of fewer than k", [one, K, { probes: 1, rerank: 5 }], "bad-option"],
] as const)("%s is refused", async (_, [asked, k, options], code) => {
  expect(() => searcher.search(asked, k, options)).toThrow(expect.objectContaining({ code }));
  await expect(pool.search(asked, k, options)).rejects.toMatchObject({ code });
});

test("a query without direction is refused for cosine", () => {
  const own = new Searcher(seededSegment(seededModel(32, 3, [3, 1], "cosine"), 50));
  const zero = expect.objectContaining({ code: "zero-vector", place: { file: "queries", row: 1 } });
  expect(() => own.search(new Float32Array(64).fill(1, 0, 32), 1, { probes: 1 })).toThrow(zero);
});

test.each([
  [
    "list offsets beyond the rows",
    { listOffsets: segment.listOffsets.map((offset, list) => (list === M ? N + 1 : offset)) },
  ],
  ["list offsets that fall", { listOffsets: segment.listOffsets.map((offset, list) => (list === 1 ? N : offset)) }],
  ["a list too few", { listOffsets: segment.listOffsets.slice(1) }],
  ["codes that end early", { codes: segment.codes.slice(1) }],
  ["scales of fewer rows", { scales: segment.scales.slice(1) }],
  ["terms of fewer rows", { terms: segment.terms.slice(1) }],
])("a segment with %s is refused", (_, wrong) => {
  expect(() => new Searcher({ ...segment, ...wrong })).toThrow(expect.objectContaining({ code: "bad-index" }));
});

test("any codes and side bytes are searched without harm", () => {
  const random = new SeededNormals(2);
  const noise = {
    ...segment,
    codes: segment.codes.map(() => random.uniform() * 256),
    scales: segment.scales.map(() => random.uniform() * 65536),
    terms: segment.terms.map(() => random.uniform() * 65536),
  };
  const { ids } = new Searcher(noise).search(queries, K, { probes: M });
  const known = new Set([...segment.ids, 0xffffffff]);
  expect(ids.every((id) => known.has(id))).toBe(true);
});
