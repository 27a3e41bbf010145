import type { JobContext, Workload } from "../../jobs/workload.ts";
import { buildJob } from "./build-job.ts";
import { asJobError } from "./job-vectors.ts";
import { queryJob } from "./query-job.ts";
import { paramsSchema, resultSchema, type VectorIndexParams, type VectorIndexResult } from "./vector-index-job.ts";

/**
 * `vector-index`: compressed indexes of vectors, by several workers where `workers` says so, each of which has lists of its
 * own.
 *
 * `build`: one input, vectors; one output, the index, under the input's name with `.vlc`. `query`: two inputs, an index and
 * queries; two outputs, `neighbours.ivecs` and `distances.fvecs`.
 */
export const vectorIndex: Workload<VectorIndexParams, VectorIndexResult> = {
  name: "vector-index",
  summary: "build compressed vector indexes, and search them",
  params: paramsSchema,
  result: resultSchema,
  workers: ({ workers }) => workers,
  run,
};

async function run(params: VectorIndexParams, context: JobContext): Promise<VectorIndexResult> {
  try {
    return await (params.kind === "build" ? buildJob(params, context) : queryJob(params, context));
  } catch (error) {
    throw asJobError(error, context);
  }
}
