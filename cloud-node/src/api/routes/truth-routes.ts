import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { chooseChannels } from "../history-channels.ts";
import { sendJson } from "../long-answer.ts";
import { ApiProblem } from "../problem.ts";
import { needs } from "../route-roles.ts";
import { TruthBucketsSchema, TruthRowsSchema } from "../schemas/truth-schema.ts";
import { parseRange } from "../time-range.ts";
import { truthBuckets, truthRows } from "../truth-answer.ts";
import { answers } from "./answers.ts";
import { checkResolution, DEFAULT_BUCKETS, DeviceParams, RangeQuery, ResolutionQuery } from "./parameters.ts";

const TRUTH_ANSWER = {
  description: "The range.",
  content: { "application/json": { schema: Type.Union([TruthBucketsSchema, TruthRowsSchema]) } },
};

/** How far what is stored is from what a simulated device really saw. */
export function addTruthRoutes(app: ApiApp, context: ApiContext): void {
  const { history, clock, slots, truthOf, access } = context;
  app.get(
    "/api/v1/devices/:id/truth",
    {
      schema: {
        ...needs("read"),
        summary: "Of a simulated device: its error as a part of eps, and the real signal",
        params: DeviceParams,
        querystring: Type.Object({ ...RangeQuery, ...ResolutionQuery }, { additionalProperties: false }),
        response: { ...answers(Type.String()), 200: TRUTH_ANSWER },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      checkResolution(query);
      const view = deviceOf(context, params.id);
      const truth = truthOf(view.id);
      if (truth === undefined) {
        const detail = `nobody here knows what ${view.id} really saw: only simulated devices can be compared, in lockstep demo, or where lockstep serve and lockstep sim share a folder by --test-truth`;
        throw new ApiProblem("truth-unknown", detail, { device: view.id });
      }
      const channels = chooseChannels(view.birth, await history.birthsOf(view.id), query.channels);
      const span = await history.span(view.id);
      const nowUs = clock.unixUs();
      const range = parseRange(query.from, query.to, span, nowUs);
      const question = { view, range, span, channels, nowUs, truth };
      const answer =
        query.rate === "full"
          ? await truthRows(history, question)
          : await truthBuckets(history, question, query.buckets ?? DEFAULT_BUCKETS);
      const visitor = access.visitorOf(request.raw);
      return await sendJson({ request, reply: reply as FastifyReply, slots, visitor }, answer);
    },
  );
}
