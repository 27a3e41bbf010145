import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { JobContext } from "../../jobs/workload.ts";
import { buildIndex } from "./build-index.ts";
import { encodeForRouter, ShardEncoder } from "./build-shards.ts";
import { inputAt, withVectors } from "./job-vectors.ts";
import { ShardParcels } from "./shard-parcels.ts";
import type { TrainCheckpoint } from "./train-options.ts";
import type { BuildParams, VectorIndexResult } from "./vector-index-job.ts";

/** Shares of the whole that training and encoding take, roughly. */
const STAGE_STARTS = { sample: 0, start: 0.05, anneal: 0.1, assign: 0.4, rotate: 0.6, encode: 0.65 } as const;

/** Build an index of the first input: place 0 trains and writes, and all places encode. */
export async function buildJob(params: BuildParams, context: JobContext): Promise<VectorIndexResult> {
  const input = inputAt(context, 0, "a file of vectors");
  return await withVectors(context, input, params, async (source) => {
    const { channel, signal } = context;
    const parcels = channel && new ShardParcels(channel, signal);
    const empty = { n: 0, d: 0, m: 0, codeBytes: 0, bytes: 0, rms: 0, worst: 0, relative: 0 };
    if (channel !== undefined && parcels !== undefined && channel.index > 0) {
      await encodeForRouter(parcels, source, signal);
      return { kind: "build", ...empty };
    }
    const path = join(context.scratch, "index.vlc");
    const { facts, error } = await buildIndex(source, path, {
      ...params,
      signal,
      checkpoint: checkpointOf(context),
      shards: parcels && new ShardEncoder(parcels, channel?.count ?? 1),
      progress: ({ stage, done, total }) => {
        const [start, end] = stageShare(stage);
        context.progress({ fraction: start + ((end - start) * done) / Math.max(1, total), note: stage });
      },
      log: ({ iteration, temperature, energy, changes }) => {
        context.log(`iteration ${iteration}: temperature ${temperature}, energy ${energy}, ${changes} changes`);
      },
    });
    const { n, d, m, codeBytes } = facts;
    const { bytes } = await context.writeFile(`${input.name.replace(/\.[^.]+$/, "")}.vlc`, path);
    return { kind: "build", n, d, m, codeBytes, bytes, ...(error ?? { rms: 0, worst: 0, relative: 0 }) };
  });
}

function stageShare(stage: keyof typeof STAGE_STARTS): readonly [number, number] {
  const starts = Object.values(STAGE_STARTS);
  const place = Object.keys(STAGE_STARTS).indexOf(stage);
  return [starts[place] ?? 0, starts[place + 1] ?? 1];
}

function checkpointOf(context: JobContext): TrainCheckpoint {
  return {
    load: async () => {
      const kept = context.resume();
      return kept && new Uint8Array(await buffer(kept));
    },
    save: async (bytes) => {
      await context.checkpoint(
        (async function* () {
          yield bytes;
        })(),
      );
    },
  };
}
