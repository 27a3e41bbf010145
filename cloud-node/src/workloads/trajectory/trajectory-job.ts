import * as v from "valibot";
import { MOST_CHUNK_FRAMES } from "./container-format.ts";
import { parseEpsRules } from "./eps-rules.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** What a job of trajectories takes. */
export const paramsSchema = v.strictObject({
  /** As `--eps` takes it: "x=1e-3,v=1e-2,f=1%"; the defaults unless given. */
  eps: v.exactOptional(
    v.pipe(
      v.string(),
      v.check(isBounds, ({ input }) => `"${input}" is no bound: give them like x=1e-3,v=1e-2,f=1%, all above 0`),
    ),
  ),
  /** `rms`: root mean squares under half their bounds, too. */
  mode: v.optional(v.picklist(["max", "rms"]), "max"),
  /** Frames that are coded together; 128 unless given. */
  chunkFrames: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_CHUNK_FRAMES))),
  /** Rows in the dump's order, and not by rising id. */
  keepOrder: v.optional(v.boolean(), false),
});

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What a job of trajectories gives, beside the container as its output. */
export const resultSchema = v.strictObject({
  frames: count,
  /** Most of a frame. */
  atoms: count,
  /** Of the dumps' text, after decompression; of the container. */
  textBytes: count,
  bytes: count,
  /** textBytes / bytes. */
  ratio: positive,
  /** At most 1. */
  maxErrorOverEps: v.pipe(positive, v.maxValue(1)),
  /** Columns that are coded together, and their bound in their own unit; 0: as they were. */
  bounds: v.array(
    v.strictObject({
      columns: v.array(v.string()),
      mode: v.picklist(["max", "rms", "exact"]),
      eps: positive,
      maxErrorOverEps: v.pipe(positive, v.maxValue(1)),
    }),
  ),
});

export type TrajectoryParams = v.InferOutput<typeof paramsSchema>;
export type TrajectoryResult = v.InferOutput<typeof resultSchema>;

function isBounds(text: string): boolean {
  try {
    parseEpsRules(text);
    return true;
  } catch (error) {
    if (!(error instanceof TrajectoryError)) throw error;
    return false;
  }
}
