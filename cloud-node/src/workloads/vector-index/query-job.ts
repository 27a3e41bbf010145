import type { JobContext } from "../../jobs/workload.ts";
import { AnswerFiles } from "./answer-files.ts";
import { defaultProbes } from "./default-probes.ts";
import { IndexFile } from "./index-file.ts";
import { inputAt, withVectors } from "./job-vectors.ts";
import { answerRouter, QueryRouter, type ShardQuery, ShardSearcher } from "./query-shards.ts";
import { ShardParcels } from "./shard-parcels.ts";
import { shardRanges } from "./shard-ranges.ts";
import { eachBlock } from "./training-sample.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { QueryParams, VectorIndexResult } from "./vector-index-job.ts";
import type { VectorSource } from "./vector-source.ts";

/**
 * Answer the queries of the second input by the index that is the first: every place holds lists of its own, and place 0
 * merges what all of them find, those as near by their ids. It is what one search of the whole index finds.
 */
export async function queryJob(params: QueryParams, context: JobContext): Promise<VectorIndexResult> {
  const { channel, signal } = context;
  const index = inputAt(context, 0, "an index, and a file of queries");
  const queries = inputAt(context, 1, "a file of queries, after the index");
  const parcels = channel && new ShardParcels(channel, signal);
  const file = await IndexFile.open(await context.file(index));
  try {
    const { m, d } = file.facts;
    const { k, probes = defaultProbes(m), rerank = 0 } = params;
    const query: ShardQuery = { k, probes, rerank };
    const lists = shardRanges(await file.listSizes(), channel?.count ?? 1)[channel?.index ?? 0];
    const searcher = new ShardSearcher(await file.segment(lists), query);
    if (channel !== undefined && parcels !== undefined && channel.index > 0) {
      await answerRouter(parcels, searcher, query);
      return { kind: "query", queries: 0, k, probes };
    }
    const router = new QueryRouter(searcher, query, parcels, channel?.count ?? 1);
    return await withVectors(context, queries, params, async (source) => {
      checkDimensions(source, d);
      const answers = await AnswerFiles.create(context.scratch, k);
      try {
        await eachBlock(source, async (rows, first, count) => {
          signal.throwIfAborted();
          await answers.add(await router.search(rows));
          context.progress({ fraction: (first + count) / source.n, note: `${first + count} queries` });
        });
        await router.close();
      } finally {
        await answers.close();
      }
      for (const [name, path] of answers.paths) await context.writeFile(name, path);
      return { kind: "query", queries: source.n, k, probes };
    });
  } finally {
    await file.close();
  }
}

function checkDimensions({ d, name }: VectorSource, need: number): void {
  if (d === need) return;
  const problem = `its queries have ${d} numbers, and the vectors of the index ${need}`;
  throw new VectorIndexError("bad-shape", problem, "give queries of the same kind", { file: name });
}
