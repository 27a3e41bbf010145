import { type Static, Type } from "typebox";
import { TimeRangeSchema } from "./device-schema.ts";
import { closedObject, nullableNumber } from "./nullable.ts";

const COLUMN = Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] }));
const CHANNEL = { name: Type.String(), unit: Type.String(), eps: Type.Number() };

const ANSWER = {
  id: Type.String(),
  range: TimeRangeSchema,
  known: Type.Union([TimeRangeSchema, Type.Null()], {
    description: "device time for which the truth is at hand; null: none yet",
  }),
  compared: Type.Number({ description: "channel-samples of the range that were compared with the truth" }),
  beyondEps: Type.Number({ description: "of those, further away than eps: 0 while the promise is kept" }),
  maxErrorShare: nullableNumber("largest |error| / eps of the range; null where nothing was compared"),
};

/** Errors of a range in buckets. */
export const TruthBucketsSchema = closedObject(
  {
    ...ANSWER,
    t0Us: Type.Number({ description: "start of the first bucket: the same buckets as those of `history`" }),
    widthUs: nullableNumber("null where there is nothing to show"),
    count: Type.Number(),
    channels: Type.Array(
      closedObject(
        {
          ...CHANNEL,
          min: Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] }), {
            description: "smallest (reconstruction − truth) / eps, rounded away from zero to a thousandth",
          }),
          max: COLUMN,
          first: Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] }), {
            description: "extremes of the truth in the order in which they occurred, rounded to a tenth of eps",
          }),
          second: COLUMN,
        },
        "One channel; null where nothing was compared.",
      ),
    ),
  },
  "Errors of a range in buckets, and the truth itself.",
);
export type TruthBucketsAnswer = Static<typeof TruthBucketsSchema>;

/** Errors of a range at full rate. */
export const TruthRowsSchema = closedObject(
  {
    ...ANSWER,
    timesUs: Type.Array(Type.Number(), { description: "device time" }),
    epochs: Type.Array(Type.Number()),
    channels: Type.Array(
      closedObject(
        {
          ...CHANNEL,
          errors: Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] }), {
            description: "(reconstruction − truth) / eps",
          }),
          truth: COLUMN,
        },
        "One channel; null where nothing was compared.",
      ),
    ),
  },
  "Errors of a range at full rate, and the truth itself.",
);
export type TruthRowsAnswer = Static<typeof TruthRowsSchema>;
