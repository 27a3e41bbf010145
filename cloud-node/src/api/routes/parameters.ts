import { Type } from "typebox";
import { ApiProblem } from "../problem.ts";
import { MAX_BUCKETS } from "../schemas/history-schema.ts";

/** One to two for each pixel of an ordinary screen. */
export const DEFAULT_BUCKETS = 1_000;

/** A device in a path. */
export const DeviceParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64, description: "the device's name" }),
});

const TIME = "microseconds since 1970, or a date as 2026-05-01T12:00:00Z; device time";

/** A range of device time. */
export const RangeQuery = {
  from: Type.Optional(Type.String({ maxLength: 64, description: `${TIME}; one hour before \`to\` where left out` })),
  to: Type.Optional(
    Type.String({ maxLength: 64, description: `${TIME}; exclusive; the newest sample where left out` }),
  ),
};

/** How fine an answer about a range is, and of which channels. */
export const ResolutionQuery = {
  buckets: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_BUCKETS,
      description: `at most so many; ${DEFAULT_BUCKETS} where left out`,
    }),
  ),
  rate: Type.Optional(Type.Enum(["full"], { description: "full: every sample, in place of buckets" })),
  channels: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1_024, description: "names with commas between them; all where left out" }),
  ),
};

/** Every sample, or buckets: not both. @throws {ApiProblem} `bad-parameter` */
export function checkResolution({ rate, buckets }: { readonly rate?: string; readonly buckets?: number }): void {
  if (rate !== "full" || buckets === undefined) return;
  const detail = `rate=full has no buckets: leave out buckets=${buckets}, or rate=full`;
  throw new ApiProblem("bad-parameter", detail, { parameter: "buckets", value: buckets });
}
