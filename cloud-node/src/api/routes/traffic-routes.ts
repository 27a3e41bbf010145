import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { needs } from "../route-roles.ts";
import { TrafficSchema } from "../schemas/device-schema.ts";
import { parseRange } from "../time-range.ts";
import { rangeTraffic, recentTraffic } from "../traffic-answer.ts";
import { answers } from "./answers.ts";
import { DeviceParams, RangeQuery } from "./parameters.ts";

/** What devices cost. */
export function addTrafficRoutes(app: ApiApp, context: ApiContext): void {
  const { node, clock, fleet, history } = context;
  app.get(
    "/api/v1/devices/:id/traffic",
    {
      schema: {
        ...needs("read"),
        summary: "What a device cost, by layer: in the last 24 h, or while a range arrived",
        params: DeviceParams,
        querystring: Type.Object(RangeQuery, { additionalProperties: false }),
        response: answers(TrafficSchema),
      },
    },
    async ({ params, query }) => {
      const view = deviceOf(context, params.id);
      const nowUs = clock.unixUs();
      if (query.from === undefined && query.to === undefined) return recentTraffic(view, fleet, nowUs);
      const range = parseRange(query.from, query.to, undefined, nowUs + (view.clockOffsetUs ?? 0));
      return await rangeTraffic(view, { node, history, nowUs }, range);
    },
  );
}
