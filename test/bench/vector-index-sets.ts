import { open, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { openVectors, searchExact } from "@lockstep/cloud-node";
import { BenchError } from "./bench-error.ts";
import { writeClusters } from "./vector-index-clusters.ts";
import { K } from "./vector-index-messages.ts";

/** Vectors, queries, and what an exact search finds. */
export interface BenchSet {
  readonly name: string;
  readonly n: number;
  readonly d: number;
  /** Files of float32 rows, and of the K nearest ids of each query as int32. */
  readonly base: string;
  readonly queryFile: string;
  readonly truthFile: string;
  readonly queries: Float32Array;
  /** (q, K). */
  readonly truth: Uint32Array;
  /** Whether speed means something: a few thousand vectors are searched through at once. */
  readonly hasSpeed: boolean;
}

/** From so many vectors on an index is faster than a scan. */
const LEAST_FOR_SPEED = 20_000;
const BLOCK_VALUES = 1 << 20;

/** The sets of a folder: NAME.base.NxD.TYPE and NAME.query.QxD.TYPE, with NAME.gt100.Qx100.i32 where there is one. */
export async function folderSets(data: string, folder: string): Promise<BenchSet[]> {
  const files = (await readdir(data)).toSorted();
  const sets: BenchSet[] = [];
  for (const file of files.filter((name) => /\.base\.\d+x\d+\.\w+$/.test(name))) {
    const [name = ""] = file.split(".base.");
    const queries = files.find((other) => other.startsWith(`${name}.query.`));
    if (queries === undefined) throw new BenchError("unknown-name", { looked: `${name}.query.*`, in: basename(data) });
    const base = join(folder, `${name}.f32`);
    const { n, d } = await writeFloats(join(data, file), base);
    const asked = await readAll(join(data, queries));
    const set = await withTruth({ name, n, d, base, hasSpeed: n >= LEAST_FOR_SPEED }, asked, folder);
    const saved = files.find((other) => other.startsWith(`${name}.gt100.`));
    if (saved !== undefined) await compareTruth(set, join(data, saved));
    sets.push(set);
  }
  return sets;
}

/** A set that is made here, the same each time. */
export async function madeSet(n: number, clusters: number, queries: number, folder: string): Promise<BenchSet> {
  const [d, name] = [128, `clusters-${n}`];
  const base = join(folder, `${name}.f32`);
  const asked = await writeClusters(base, { n, d, queries, clusters, seed: 1 });
  return await withTruth({ name, n, d, base, hasSpeed: true }, asked, folder);
}

type Shape = Pick<BenchSet, "name" | "n" | "d" | "base" | "hasSpeed">;

async function withTruth(shape: Shape, queries: Float32Array, folder: string): Promise<BenchSet> {
  const [queryFile, truthFile] = ["queries.f32", "truth.i32"].map((end) => join(folder, `${shape.name}.${end}`)) as [
    string,
    string,
  ];
  const source = await openVectors(shape.base, { dtype: "f32", d: shape.d });
  const { ids: truth } = await searchExact(source, queries, K, "l2").finally(() => source.close());
  await writeFile(queryFile, new Uint8Array(queries.buffer, queries.byteOffset, queries.byteLength));
  await writeFile(truthFile, new Uint8Array(truth.buffer));
  return { ...shape, queryFile, truthFile, queries, truth };
}

/** The saved truth was made elsewhere: it must be the same, but for vectors that are equally near. */
async function compareTruth({ name, base, d, queries, truth }: BenchSet, path: string): Promise<void> {
  const saved = await openVectors(path);
  const source = await openVectors(base, { dtype: "f32", d });
  try {
    const all = new Float32Array(saved.n * saved.d);
    await saved.read(0, all);
    const row = new Float32Array(d);
    const distance = async (query: number, id: number) => {
      await source.read(id, row);
      return row.reduce((sum, x, j) => sum + (x - (queries[query * d + j] ?? 0)) ** 2, 0);
    };
    for (let i = 0; i < truth.length; i++) {
      const query = Math.floor(i / K);
      const [own = 0, other = 0] = [truth[i], all[query * saved.d + (i % K)]];
      if (own === other) continue;
      const [near, far] = [await distance(query, own), await distance(query, other)];
      if (Math.abs(near - far) > 1e-6 * far) throw new BenchError("not-the-same", { set: name, query, own, other });
    }
  } finally {
    await source.close();
    await saved.close();
  }
}

async function writeFloats(from: string, to: string): Promise<{ n: number; d: number }> {
  const source = await openVectors(from);
  const file = await open(to, "w");
  try {
    const { n, d } = source;
    const block = new Float32Array(Math.max(1, Math.floor(BLOCK_VALUES / d)) * d);
    for (let row = 0; row < n; ) {
      const rows = await source.read(row, block);
      await file.writeFile(new Uint8Array(block.buffer, 0, rows * d * 4));
      row += rows;
    }
    return { n, d };
  } finally {
    await file.close();
    await source.close();
  }
}

async function readAll(path: string): Promise<Float32Array> {
  const source = await openVectors(path);
  try {
    const values = new Float32Array(source.n * source.d);
    await source.read(0, values);
    return values;
  } finally {
    await source.close();
  }
}
