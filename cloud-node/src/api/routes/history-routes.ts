import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { bucketLines } from "../bucket-text.ts";
import { bucketsAnswer, type HistoryQuestion, namedRuns, rowsAnswer, rowsOf, runsOf } from "../history-answer.ts";
import { chooseChannels } from "../history-channels.ts";
import { csvOf, ndjsonOf } from "../history-text.ts";
import { ApiProblem } from "../problem.ts";
import { BucketsSchema, HISTORY_FORMATS, MAX_BUCKETS, RowsSchema } from "../schemas/history-schema.ts";
import { openStream } from "../stream-slots.ts";
import { parseRange } from "../time-range.ts";
import { answers } from "./answers.ts";
import { DeviceParams, RangeQuery } from "./parameters.ts";

/** One to two for each pixel of an ordinary screen. */
const DEFAULT_BUCKETS = 1_000;
/** A reader of a stream that takes nothing for so long is cut off, ms. */
const STALL_MS = 30_000;
const CONTENT_TYPES = { csv: "text/csv; charset=utf-8", ndjson: "application/x-ndjson" } as const;

const HistoryQuery = Type.Object(
  {
    ...RangeQuery,
    buckets: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_BUCKETS,
        description: `at most so many; ${DEFAULT_BUCKETS} where left out`,
      }),
    ),
    rate: Type.Optional(Type.Enum(["full"], { description: "full: every sample, in place of buckets" })),
    channels: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1_024, description: "names with commas between; all where left out" }),
    ),
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
  const { history, clock, slots } = context;
  app.get(
    "/api/v1/devices/:id/history",
    {
      schema: {
        summary: "A device's past, in buckets or at full rate",
        params: DeviceParams,
        querystring: HistoryQuery,
        response: { ...answers(Type.String()), 200: HISTORY_ANSWER },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      if (query.rate === "full" && query.buckets !== undefined) {
        const detail = `rate=full has no buckets: leave out buckets=${query.buckets}, or rate=full`;
        throw new ApiProblem("bad-parameter", detail, { parameter: "buckets", value: query.buckets });
      }
      const view = deviceOf(context, params.id);
      const channels = chooseChannels(view.birth, await history.birthsOf(view.id), query.channels);
      const span = await history.span(view.id);
      const nowUs = clock.unixUs();
      const range = parseRange(query.from, query.to, span, nowUs);
      const question: HistoryQuestion = { view, range, span, channels, nowUs };
      // Texts of numbers: a general serializer would look at each of them.
      reply.serializer((payload: unknown) => JSON.stringify(payload));
      if (query.rate !== "full") {
        const answer = await bucketsAnswer(history, question, query.buckets ?? DEFAULT_BUCKETS);
        if (query.format === "json") return answer;
        return reply
          .type(CONTENT_TYPES[query.format])
          .serializer((text: string) => text)
          .send(bucketLines(answer, query.format));
      }
      if (query.format === "json") return await rowsAnswer(history, question);
      reply.type(CONTENT_TYPES[query.format]);
      if (request.method === "HEAD") return await reply.send("");
      const runs = query.format === "csv" ? [] : namedRuns(question, await runsOf(history, question));
      const head = { id: view.id, range, channels, runs };
      const text = (query.format === "csv" ? csvOf : ndjsonOf)(head, rowsOf(history, question));
      const stream = Readable.from(text, { objectMode: false, encoding: "utf8" });
      const closing = new ApiProblem("closing", "the node is shutting down: ask again later");
      const release = slots.take(openStream(reply.raw, () => stream.destroy(closing)));
      stream.once("close", release);
      // Whoever stops reading holds a decoder and its place in the store.
      reply.raw.setTimeout(STALL_MS, () => reply.raw.destroy());
      return await (reply as FastifyReply).send(stream);
    },
  );
}
