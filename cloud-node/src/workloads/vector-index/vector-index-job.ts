import * as v from "valibot";

/** Workers that share a job at most: what a job may have. */
const MOST_WORKERS = 256;

const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const dtype = v.picklist(["f32", "f16", "u8", "i8", "i32"]);

/** How files of plain rows are read, and how many workers share the job. */
const common = {
  dtype: v.exactOptional(dtype),
  d: v.exactOptional(whole(1, 65_535)),
  workers: v.optional(whole(1, MOST_WORKERS), 1),
};

const buildParams = v.strictObject({
  kind: v.literal("build"),
  ...common,
  metric: v.optional(v.picklist(["l2", "ip", "cosine"]), "l2"),
  /** Of a vector's code; 4 bytes beside it and its id come on top. */
  codeBytes: whole(2, 65_535),
  /** Anchors; five times the square root of the rows unless given. */
  m: v.exactOptional(whole(1, 2 ** 24)),
  seed: v.optional(whole(0, 2 ** 32 - 1), 1),
  iterations: v.exactOptional(whole(1, 1000)),
  rerank: v.exactOptional(v.picklist(["i8", "f16"])),
  device: v.optional(v.picklist(["cpu", "gpu"]), "cpu"),
});

const queryParams = v.strictObject({
  kind: v.literal("query"),
  ...common,
  k: v.optional(whole(1, 65_536), 10),
  /** Lists that a query visits; a sixteenth of them, 8 at least, unless given. */
  probes: v.exactOptional(whole(1, 2 ** 24)),
  /** Candidates that are ranked again by finer rows. */
  rerank: v.exactOptional(whole(1, 65_536)),
});

/** What a job of vectors takes: `kind` says which of the two it is. */
export const paramsSchema = v.variant("kind", [buildParams, queryParams]);

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What such a job gives, beside its outputs. */
export const resultSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("build"),
    ...{ n: count, d: count, m: count, codeBytes: count, bytes: count },
    /** Of decoded vectors: root mean square, largest; squared, in parts of the squared distance from the mean. */
    ...{ rms: positive, worst: positive, relative: positive },
  }),
  v.strictObject({ kind: v.literal("query"), queries: count, k: count, probes: count }),
]);

export type BuildParams = v.InferOutput<typeof buildParams>;
export type QueryParams = v.InferOutput<typeof queryParams>;
export type VectorIndexParams = v.InferOutput<typeof paramsSchema>;
export type VectorIndexResult = v.InferOutput<typeof resultSchema>;
