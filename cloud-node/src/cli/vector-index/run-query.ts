import { NO_ROW } from "../../workloads/vector-index/exact-search.ts";
import { IndexFile } from "../../workloads/vector-index/index-file.ts";
import { SearchPool } from "../../workloads/vector-index/search-pool.ts";
import type { Neighbours } from "../../workloads/vector-index/search-segment.ts";
import { CommandError } from "../command-error.ts";
import { checkFiles, replaceWhole } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { QueryCommandOptions } from "../vector-index.ts";
import { interruptible } from "./interruptible.ts";
import { probesOf, rerankOf } from "./probe-choice.ts";
import { readQueries } from "./read-queries.ts";

/** Queries that are asked together; progress is told between. */
const BATCH = 1024;
/** Of distances: nearly what a float32 has. */
const DIGITS = 6;

/** `lockstep vector-index query`. */
export async function runQuery(
  surroundings: Surroundings,
  input: string,
  queryFile: string,
  options: QueryCommandOptions,
): Promise<void> {
  const { k, out, threads, json } = options;
  await checkFiles(input, out);
  if (out !== undefined && !out.endsWith(".ivecs")) {
    throw new CommandError("usage", `ids are written as .ivecs, and ${out} says otherwise`, "name a file *.ivecs");
  }
  const index = await IndexFile.open(input);
  try {
    const { facts } = index;
    const { d } = facts;
    const choice = { probes: probesOf(facts, options.probes), rerank: rerankOf(facts, options.rerank, k) };
    const { values, q } = await readQueries(queryFile, d, options);
    const pool = new SearchPool(await index.segment(), threads);
    const found: Neighbours = { ids: new Uint32Array(q * k), distances: new Float32Array(q * k) };
    try {
      await interruptible(surroundings, "vector-index query", "nothing was written", async (progress, signal) => {
        for (let from = 0; from < q; from += BATCH) {
          signal.throwIfAborted();
          const to = Math.min(q, from + BATCH);
          const part = await pool.search(values.subarray(from * d, to * d), k, choice);
          found.ids.set(part.ids, from * k);
          found.distances.set(part.distances, from * k);
          progress.update(to, q);
        }
      });
    } finally {
      await pool.close();
    }
    if (out !== undefined) await writeIvecs(out, found.ids, k);
    const queries = Array.from({ length: q }, (_, i) => answer(found, i, k));
    const result = {
      index: input,
      queries: q,
      k,
      ...choice,
      output: out ?? null,
      ...(out === undefined ? { answers: queries } : {}),
    };
    const text = queries.map(({ ids, distances }, i) => answerLine(i, ids, distances)).join("\n");
    await writeResult(
      surroundings,
      json,
      result,
      out === undefined ? text : `${out}: ${k} ids for each of ${q} queries`,
    );
  } finally {
    await index.close();
  }
}

/** What was found for one query; less than k where there is less. */
function answer({ ids, distances }: Neighbours, query: number, k: number): { ids: number[]; distances: number[] } {
  const all = [...ids.subarray(query * k, (query + 1) * k)];
  const end = all.indexOf(NO_ROW);
  const count = end < 0 ? k : end;
  return { ids: all.slice(0, count), distances: [...distances.subarray(query * k, query * k + count)] };
}

function answerLine(query: number, ids: readonly number[], distances: readonly number[]): string {
  return `${query}  ${ids.map((id, i) => `${id}:${Number((distances[i] ?? Number.NaN).toPrecision(DIGITS))}`).join(" ")}`.trimEnd();
}

async function writeIvecs(path: string, ids: Uint32Array, k: number): Promise<void> {
  const rows = new Int32Array((ids.length / k) * (k + 1));
  for (let row = 0; row * k < ids.length; row++) {
    rows[row * (k + 1)] = k;
    rows.set(ids.subarray(row * k, (row + 1) * k), row * (k + 1) + 1);
  }
  await replaceWhole(path, new Uint8Array(rows.buffer));
}
