import { statSync } from "node:fs";
import { join } from "node:path";
import { Index, type MetricKind, type ScalarKind } from "usearch";
import { type BuildOrder, K } from "../vector-index-messages.ts";
import type { BuiltIndex } from "../vector-index-subject.ts";
import { HNSW_EFFORTS, HNSW_EXPANSION, HNSW_LINKS } from "./hnsw-parameters.ts";

/** Keys in the saved file. */
const KEY_BYTES = 8;

/** usearch, with vectors kept as float32 or int8; one thread. */
export async function buildUsearch(
  { subject, n, d, folder }: BuildOrder,
  readBase: () => Promise<Float32Array>,
): Promise<BuiltIndex> {
  const quantization = subject === "usearch i8" ? "i8" : "f32";
  const create = (expansion: number) =>
    new Index({
      dimensions: d,
      metric: "l2sq" as MetricKind,
      quantization: quantization as ScalarKind,
      connectivity: HNSW_LINKS,
      expansion_add: HNSW_EXPANSION,
      expansion_search: expansion,
      multi: false,
    });
  const path = join(folder, `${quantization}.usearch`);
  let index = create(HNSW_EXPANSION);
  index.add(
    BigUint64Array.from({ length: n }, (_, i) => BigInt(i)),
    await readBase(),
    1,
  );
  index.save(path);
  return {
    bytesPerVector: statSync(path).size / n - KEY_BYTES,
    indexBytes: 0,
    efforts: HNSW_EFFORTS,
    prepare: (effort) => {
      index = create(effort);
      index.load(path);
    },
    search: (queries) => Uint32Array.from(index.search(queries, K, 1).keys, Number),
  };
}
