import { open } from "node:fs/promises";
import { join } from "node:path";
import type { NamedBlob } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { ContainerWriter, type PackOptions } from "./container-writer.ts";
import type { DumpInput } from "./dump-input.ts";
import { parseEpsRules } from "./eps-rules.ts";
import { type PackSummary, packDumps } from "./pack-dumps.ts";
import { TrajectoryError } from "./trajectory-error.ts";
import { paramsSchema, resultSchema, type TrajectoryParams, type TrajectoryResult } from "./trajectory-job.ts";

/** Values of a chunk at most: with what coding them takes, well inside a worker's memory for a job. */
const MOST_VALUES = 1 << 24;

/**
 * `trajectory`: LAMMPS dumps into a container in which every value stays within the bound asked for. Each chunk is
 * decoded and compared with what was read before it is written.
 *
 * Inputs: one dump or more, plain or compressed, in the order of their frames. Output: the container, under the first
 * input's name without its endings, and `.lkt`.
 */
export const trajectory: Workload<TrajectoryParams, TrajectoryResult> = {
  name: "trajectory",
  summary: "pack molecular-dynamics dumps, every value within its bound",
  params: paramsSchema,
  result: resultSchema,
  run,
};

async function run(params: TrajectoryParams, context: JobContext): Promise<TrajectoryResult> {
  const [first] = context.inputs;
  if (first === undefined) {
    throw new JobError("bad-job", "trajectory, inputs: there are none", "give the dumps, in the order of their frames");
  }
  const path = join(context.scratch, "container");
  const { cut, ...summary } = await packAll(params, context, path);
  if (cut !== undefined) {
    const remedy = `mend it, or pack the ${summary.frames} frames in front of that with \`lockstep trajectory pack\``;
    throw new JobError("bad-input", cut.message, remedy, { cause: cut });
  }
  const { bytes } = await context.writeFile(`${nameOf(first)}.lkt`, path);
  const { frames, atoms, textBytes, maxErrorOverEps } = summary;
  const bounds = summary.bounds.map((bound) => ({ ...bound, columns: [...bound.columns] }));
  return { frames, atoms, textBytes, bytes, ratio: textBytes / bytes, maxErrorOverEps, bounds };
}

async function packAll(params: TrajectoryParams, context: JobContext, path: string): Promise<PackSummary> {
  const { eps, mode, chunkFrames, keepOrder } = params;
  const total = context.inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const options: PackOptions = {
    ...{ rules: eps === undefined ? new Map() : parseEpsRules(eps), mode },
    ...{ keepRows: keepOrder, mostValues: MOST_VALUES },
    ...(chunkFrames === undefined ? {} : { chunkFrames }),
  };
  const file = await open(path, "w+");
  try {
    const writer = await ContainerWriter.create(file, options);
    const inputs = context.inputs.map((input) => inputOf(input, context));
    return await packDumps(inputs, writer, options, context.signal, ({ storedBytes, frames }) => {
      context.progress({ fraction: storedBytes / Math.max(1, total), note: `${frames} frames` });
    });
  } catch (error) {
    throw asJobError(error);
  } finally {
    await file.close();
  }
}

function inputOf(input: NamedBlob, context: JobContext): DumpInput {
  return { name: input.name, bytes: () => context.read(input) };
}

/** `melt.dump.gz` is `melt`. */
function nameOf({ name }: NamedBlob): string {
  return name.replace(/\.(gz|bz2|zst)$/i, "").replace(/\.(dump|lammpstrj|txt)$/i, "") || "trajectory";
}

/** What is wrong with a dump, in the words of a job: another attempt would find the same. */
function asJobError(error: unknown): unknown {
  if (!(error instanceof TrajectoryError)) return error;
  const code = error.code === "bad-eps" ? "bad-params" : "bad-input";
  const place = error.code === "bad-eps" ? "trajectory, eps: " : "";
  return new JobError(code, `${place}${error.message}`, "mend it, or ask for what can be kept", { cause: error });
}
