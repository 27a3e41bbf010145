import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { bucketLines } from "../bucket-text.ts";
import { bucketsAnswer, type HistoryQuestion, namedRuns, rowsAnswer, rowsOf, runsOf } from "../history-answer.ts";
import { chooseChannels } from "../history-channels.ts";
import { csvOf, ndjsonOf } from "../history-text.ts";
import { sendJson, sendText } from "../long-answer.ts";
import { needs } from "../route-roles.ts";
import { BucketsSchema, HISTORY_FORMATS, RowsSchema } from "../schemas/history-schema.ts";
import { parseRange } from "../time-range.ts";
import { answers } from "./answers.ts";
import { checkResolution, DEFAULT_BUCKETS, DeviceParams, RangeQuery, ResolutionQuery } from "./parameters.ts";

const CONTENT_TYPES = { csv: "text/csv; charset=utf-8", ndjson: "application/x-ndjson" } as const;

const HistoryQuery = Type.Object(
  {
    ...RangeQuery,
    ...ResolutionQuery,
    format: Type.Enum([...HISTORY_FORMATS], { default: "json", description: "csv and ndjson are streamed" }),
  },
  { additionalProperties: false },
);

const HISTORY_ANSWER = {
  description: "The range.",
  content: {
    "application/json": { schema: Type.Union([BucketsSchema, RowsSchema]) },
    [CONTENT_TYPES.csv]: { schema: Type.String() },
    [CONTENT_TYPES.ndjson]: { schema: Type.String() },
  },
};

/** What was. */
export function addHistoryRoutes(app: ApiApp, context: ApiContext): void {
  const { node, history, clock, slots, access } = context;
  app.get(
    "/api/v1/devices/:id/history",
    {
      schema: {
        ...needs("read"),
        summary: "A device's past, in buckets or at full rate",
        params: DeviceParams,
        querystring: HistoryQuery,
        response: { ...answers(Type.String()), 200: HISTORY_ANSWER },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      checkResolution(query);
      const view = deviceOf(context, params.id);
      const channels = chooseChannels(view.birth, await history.birthsOf(view.id), query.channels);
      const span = await history.span(view.id);
      const nowUs = clock.unixUs();
      const range = parseRange(query.from, query.to, span, nowUs);
      const question: HistoryQuestion = { view, range, span, channels, nowUs, retention: node.retention };
      const visitor = access.visitorOf(request.raw);
      const answering = { request, reply: reply as FastifyReply, slots, visitor };
      if (query.rate !== "full") {
        const answer = await bucketsAnswer(history, question, query.buckets ?? DEFAULT_BUCKETS);
        if (query.format === "json") return await sendJson(answering, answer);
        return reply
          .type(CONTENT_TYPES[query.format])
          .serializer((text: string) => text)
          .send(bucketLines(answer, query.format));
      }
      if (query.format === "json") return await sendJson(answering, await rowsAnswer(history, question));
      reply.type(CONTENT_TYPES[query.format]).serializer((text: string) => text);
      const runs = query.format === "csv" ? [] : namedRuns(question, await runsOf(history, question));
      const head = { id: view.id, range, channels, runs };
      return await sendText(answering, (query.format === "csv" ? csvOf : ndjsonOf)(head, rowsOf(history, question)));
    },
  );
}
