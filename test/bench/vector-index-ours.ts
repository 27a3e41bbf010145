import { basename, join } from "node:path";
import { buildIndex, IndexFile, indexAccount, openVectors, Searcher } from "@lockstep/cloud-node";
import { type BuildOrder, K } from "./vector-index-messages.ts";
import type { BuiltIndex } from "./vector-index-subject.ts";

const SEED = 1;

/** Our index, built from the file as a person builds it. */
export async function buildOurs({ base, d, folder, ours }: BuildOrder): Promise<BuiltIndex> {
  const { codeBytes, m, rerank, candidates } = ours ?? { codeBytes: d / 2 };
  const path = join(folder, `ours-${basename(base)}-${codeBytes}-${m ?? "default"}-${rerank ?? "plain"}.vlc`);
  const source = await openVectors(base, { dtype: "f32", d });
  try {
    await buildIndex(source, path, { codeBytes, m, rerank, metric: "l2", seed: SEED });
  } finally {
    await source.close();
  }
  // Open as long as its process: finer rows are read from it as they are asked for
  const file = await IndexFile.open(path);
  const { facts } = file;
  const { bytesPerVector, rerankBytesPerVector, indexBytes } = indexAccount(facts);
  const searcher = new Searcher(await file.segment());
  let probes = facts.m;
  return {
    bytesPerVector: bytesPerVector + rerankBytesPerVector,
    indexBytes,
    efforts: effortsTo(facts.m),
    prepare: (effort) => {
      probes = effort;
    },
    search: (queries) =>
      searcher.search(queries, K, { probes, ...(candidates === undefined ? {} : { rerank: candidates }) }).ids,
  };
}

/** 1, 2, 3, 4, 6, 8, 12, 16 … m. */
function effortsTo(m: number): number[] {
  const efforts: number[] = [];
  for (let probes = 1; probes < m; probes *= 2)
    efforts.push(probes, ...(probes > 1 && 1.5 * probes < m ? [1.5 * probes] : []));
  return [...efforts, m];
}
