import { type Static, Type } from "typebox";
import { TimeRangeSchema } from "./device-schema.ts";
import { closedObject, nullableNumber, nullableString } from "./nullable.ts";

const RUN_KINDS = ["gap-pending", "gap-lost", "invalid", "saturated", "expired", "damaged"] as const;

/** Formats of history; the last two are streamed. */
export const HISTORY_FORMATS = ["json", "csv", "ndjson"] as const;
/** More than any screen has columns of pixels. */
export const MAX_BUCKETS = 4_000;
/** Samples of one channel in one JSON answer; more are streamed. */
export const MAX_JSON_ROWS = 100_000;

/** A stretch that is missing, or flagged. */
const RunSchema = closedObject(
  {
    kind: Type.Enum([...RUN_KINDS]),
    channel: Type.Unsafe<string | null>({ type: ["string", "null"], description: "null: all of them" }),
    fromUs: Type.Number(),
    toUs: Type.Number({ description: "exclusive" }),
  },
  "A stretch of device time, µs, that is missing, or whose values are worth less than their bound says.",
);

const COLUMN = Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] }));

const ANSWER = {
  id: Type.String(),
  range: TimeRangeSchema,
  span: Type.Union([TimeRangeSchema, Type.Null()], { description: "all that there is; null: nothing" }),
  runs: Type.Array(RunSchema),
  nearest: Type.Union(
    [
      closedObject(
        {
          beforeUs: nullableNumber("device time at which the samples before the range end; null: there are none"),
          afterUs: nullableNumber("device time of the first sample behind the range; null: there is none"),
        },
        "Where there are samples beside a range that has none.",
      ),
      Type.Null(),
    ],
    { description: "null: the range has samples" },
  ),
  kept: closedObject(
    {
      maxAgeS: nullableNumber("since it came in; null: for ever"),
      maxBytes: nullableNumber("of all devices together; null: any"),
    },
    "How much history this node keeps.",
  ),
};

/** A range in buckets. */
export const BucketsSchema = closedObject(
  {
    ...ANSWER,
    t0Us: Type.Number({ description: "start of the first bucket, device time, µs: a multiple of the width" }),
    widthUs: nullableNumber("the sample period times a power of two; null where there is nothing to show"),
    count: Type.Number(),
    channels: Type.Array(
      closedObject(
        {
          name: Type.String(),
          unit: Type.String(),
          eps: Type.Number({ description: "error bound; buckets are rounded to a tenth of it, for drawing" }),
          first: COLUMN,
          second: COLUMN,
        },
        "The two extremes of each bucket in the order in which they occurred; null where it has no sample.",
      ),
    ),
  },
  "A range in buckets.",
);
export type BucketsAnswer = Static<typeof BucketsSchema>;

/** A range at full rate. */
export const RowsSchema = closedObject(
  {
    ...ANSWER,
    timesUs: Type.Array(Type.Number(), { description: "device time" }),
    epochs: Type.Array(Type.Number()),
    channels: Type.Array(
      closedObject(
        {
          name: Type.String(),
          unit: Type.String(),
          eps: Type.Number(),
          values: COLUMN,
          statuses: Type.Array(Type.Number(), { description: "0 ok, 1 invalid, 2 saturated" }),
        },
        "One channel; null where the sensor gave no reading.",
      ),
    ),
  },
  "A range at full rate.",
);
export type RowsAnswer = Static<typeof RowsSchema>;

/** What was lost. */
export const GapsSchema = closedObject(
  {
    id: Type.String(),
    declared: Type.Array(
      closedObject(
        {
          epoch: Type.Number(),
          from: Type.Number({ description: "first frame" }),
          through: Type.Number({ description: "last frame" }),
          samples: Type.Number(),
          reason: Type.String(),
        },
        "Frames that no one has any more.",
      ),
      { description: "of all time, whatever the range; in order of epochs and frames; a page of them" },
    ),
    runs: Type.Array(RunSchema, { description: "gaps of the range, lost and pending, by time; a page of them" }),
    range: Type.Union([TimeRangeSchema, Type.Null()]),
    lostSamples: Type.Number({ description: "of all that are declared, of all time, on every page" }),
    declaredGaps: Type.Number({ description: "how many are declared, of all time" }),
    pendingGaps: Type.Number({ description: "how many are awaited in the range, on every page" }),
    pendingUs: Type.Number({ description: "how much time they take" }),
    next: nullableString("`cursor` of the next page; null: this is the last one"),
  },
  "What was lost, and what is awaited.",
);
