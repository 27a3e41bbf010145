import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { findProgram, osPackage } from "../../../scripts/os-packages.js";
import { type BuildOrder, K } from "../vector-index-messages.ts";
import type { BuiltIndex } from "../vector-index-subject.ts";
import { HNSW_EFFORTS, HNSW_EXPANSION, HNSW_LINKS } from "./hnsw-parameters.ts";

/** As hnswlib-node's own module gives it. */
interface HierarchicalNSW {
  initIndex(most: number, links: number, expansion: number, seed: number): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(query: number[], k: number): { neighbors: number[] };
  writeIndexSync(path: string): void;
}
type Library = { HierarchicalNSW: new (space: "l2", d: number) => HierarchicalNSW };

const require = createRequire(import.meta.url);
const SEED = 100;
const LABEL_BYTES = 8;

/** Whether hnswlib-node is installed, and what compiles it. */
export function canBuildHnswlib(): boolean {
  return findProgram(osPackage("g++")) !== undefined;
}

/**
 * Compile hnswlib-node's source for this machine: npm has no binary of it, and install scripts are not run here. Seconds.
 *
 * @returns the folder of `hnswlib.node`
 */
export function compileHnswlib(folder: string): void {
  const compiler = findProgram(osPackage("g++")) ?? "g++";
  const source = join(dirname(require.resolve("hnswlib-node/package.json")), "src");
  const napi = dirname(require.resolve("node-addon-api/package.json"));
  const headers = join(dirname(process.execPath), "../include/node");
  const flags = ["-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-w"];
  const defines = ["-DNODE_GYP_MODULE_NAME=addon", "-DNAPI_DISABLE_CPP_EXCEPTIONS"];
  const includes = [headers, napi].flatMap((path) => ["-I", path]);
  execFileSync(compiler, [...flags, ...defines, ...includes, join(source, "addon.cc"), "-o", addonPath(folder)]);
}

/** hnswlib through hnswlib-node, one thread; its queries are arrays of numbers, made beforehand. */
export async function buildHnswlib(
  { n, d, folder }: BuildOrder,
  readBase: () => Promise<Float32Array>,
): Promise<BuiltIndex> {
  const library = require(addonPath(folder)) as Library;
  const index = new library.HierarchicalNSW("l2", d);
  index.initIndex(n, HNSW_LINKS, HNSW_EXPANSION, SEED);
  const base = await readBase();
  for (let i = 0; i < n; i++) index.addPoint(Array.from(base.subarray(i * d, (i + 1) * d)), i);
  const path = join(folder, "hnswlib.bin");
  index.writeIndexSync(path);
  let asked: number[][] = [];
  return {
    bytesPerVector: statSync(path).size / n - LABEL_BYTES,
    indexBytes: 0,
    efforts: HNSW_EFFORTS,
    prepare: (effort) => index.setEf(effort),
    search: (queries) => {
      if (asked.length === 0) {
        asked = Array.from({ length: queries.length / d }, (_, i) => Array.from(queries.subarray(i * d, (i + 1) * d)));
      }
      const ids = new Uint32Array(asked.length * K);
      for (const [i, query] of asked.entries()) ids.set(index.searchKnn(query, K).neighbors, i * K);
      return ids;
    },
  };
}

function addonPath(folder: string): string {
  return join(folder, "hnswlib.node");
}
