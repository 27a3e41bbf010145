import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { deviceAnswer, trafficAnswer, twinAnswer } from "../device-answers.ts";
import { gapsOf, namedRuns } from "../history-answer.ts";
import { chooseChannels } from "../history-channels.ts";
import { DeviceSchema, ModulesSchema, TrafficSchema, TwinSchema } from "../schemas/device-schema.ts";
import { FleetPageSchema, FleetViewSchema } from "../schemas/fleet-schema.ts";
import { GapsSchema } from "../schemas/history-schema.ts";
import { parseRange } from "../time-range.ts";
import { answers } from "./answers.ts";
import { DeviceParams, RangeQuery } from "./parameters.ts";

/** Who is there, what each one is now, and what it cost. */
export function addDeviceRoutes(app: ApiApp, context: ApiContext): void {
  const { node, clock, fleet, history, truthOf } = context;
  app.get(
    "/api/v1/devices",
    {
      schema: {
        summary: "The fleet table, a page at a time",
        querystring: Type.Object(FleetViewSchema, { additionalProperties: false }),
        response: answers(FleetPageSchema),
      },
    },
    ({ query }) => fleet.page(query),
  );
  app.get(
    "/api/v1/devices/:id",
    { schema: { summary: "Who a device is", params: DeviceParams, response: answers(DeviceSchema) } },
    ({ params }) => deviceAnswer(deviceOf(context, params.id), fleet, history, truthOf(params.id), clock.unixUs()),
  );
  app.get(
    "/api/v1/devices/:id/twin",
    { schema: { summary: "A device now", params: DeviceParams, response: answers(TwinSchema) } },
    ({ params }) => twinAnswer(deviceOf(context, params.id), clock.unixUs()),
  );
  app.get(
    "/api/v1/devices/:id/traffic",
    { schema: { summary: "What a device cost, by layer", params: DeviceParams, response: answers(TrafficSchema) } },
    ({ params }) => trafficAnswer(deviceOf(context, params.id), fleet),
  );
  app.get(
    "/api/v1/devices/:id/gaps",
    {
      schema: {
        summary: "What was lost, and what is awaited; of all time where no range is given",
        params: DeviceParams,
        querystring: Type.Object(RangeQuery, { additionalProperties: false }),
        response: answers(GapsSchema),
      },
    },
    async ({ params, query }) => {
      const view = deviceOf(context, params.id);
      const span = await history.span(view.id);
      const nowUs = clock.unixUs();
      const isAll = query.from === undefined && query.to === undefined;
      // What is awaited ends now, which is after the last sample.
      const range = isAll
        ? span && { ...span, toUs: Number.MAX_SAFE_INTEGER }
        : parseRange(query.from, query.to, span, nowUs);
      const question = {
        view,
        range: range ?? { fromUs: 0, toUs: 0 },
        span,
        channels: chooseChannels(view.birth, () => view.birth),
        nowUs,
      };
      const runs = namedRuns(question, await gapsOf(history, question));
      const declared = await history.gaps(view.id);
      return {
        id: view.id,
        declared: declared.map(({ epoch, from, through, samples, reason }) => ({
          epoch,
          from,
          through,
          samples,
          reason,
        })),
        runs,
        range: isAll ? (span ?? null) : (range ?? null),
        lostSamples: declared.reduce((sum, { samples }) => sum + samples, 0),
      };
    },
  );
  app.get(
    "/api/v1/modules",
    { schema: { summary: "The codec modules that devices may name", response: answers(ModulesSchema) } },
    () => {
      const views = node.devices();
      const modules = node.modules().map((module) => ({
        ...module,
        devices: views.filter(({ birth }) => birth.model === module.hash).map(({ id }) => id),
      }));
      return { modules };
    },
  );
}
