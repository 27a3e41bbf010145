import type { NamedBlob } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext } from "../../jobs/workload.ts";
import { openVectors, type VectorFileOptions } from "./open-vectors.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

/** An input, by its place. @throws {JobError} `bad-job` when there is none */
export function inputAt(context: JobContext, place: number, what: string): NamedBlob {
  const input = context.inputs[place];
  if (input !== undefined) return input;
  throw new JobError("bad-job", `vector-index: input ${place + 1} is missing`, `give ${what}`);
}

/** Do something with the vectors of an input, whose name says what they are as that of a file does. */
export async function withVectors<Result>(
  context: JobContext,
  input: NamedBlob,
  options: VectorFileOptions,
  use: (source: VectorSource) => Promise<Result>,
): Promise<Result> {
  const source = await openVectors(await context.file(input), options);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

/** What is wrong, in the words of a job: of inputs by their own names, and whether another attempt would find the same. */
export function asJobError(error: unknown, context: JobContext): unknown {
  if (!(error instanceof VectorIndexError)) return error;
  const { code, place, problem, remedy } = error;
  const file = context.inputs.find(({ name }) => place.file?.endsWith(`/${name}`))?.name;
  const at = file === undefined ? error.message.replace(place.file ?? "", "").replace(/^[:,] */, "") : undefined;
  const named = at ?? new VectorIndexError(code, problem, remedy, { ...place, file }).message;
  const isFailure = code === "no-device" || code === "bad-checkpoint";
  const jobCode = code === "bad-option" ? "bad-params" : isFailure ? "failed" : "bad-input";
  const text = named.slice(0, named.length - remedy.length - 2);
  return new JobError(jobCode, `vector-index: ${text}`, remedy, { cause: error });
}
