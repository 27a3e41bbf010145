import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { EventStream } from "../event-stream.ts";
import { LiveStream } from "../live-stream.ts";
import { needs } from "../route-roles.ts";
import { EventPageSchema } from "../schemas/event-schema.ts";
import { FleetViewSchema } from "../schemas/fleet-schema.ts";
import { openStream } from "../stream-slots.ts";
import { answers } from "./answers.ts";

const SINCE = Type.Optional(
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "id of the last event known" }),
);
const DEVICE = Type.Optional(Type.String({ minLength: 1, maxLength: 64 }));

/** What happens, asked for or told as it happens. */
export function addEventRoutes(app: ApiApp, context: ApiContext): void {
  const { log, slots, access } = context;
  app.get(
    "/api/v1/events",
    {
      schema: {
        ...needs("read"),
        summary: "The newest events, oldest first",
        querystring: Type.Object(
          {
            since: SINCE,
            limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
            device: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "of this device alone" })),
          },
          { additionalProperties: false },
        ),
        response: answers(EventPageSchema),
      },
    },
    ({ query }) => {
      if (query.device !== undefined) deviceOf(context, query.device);
      return { lastId: log.lastId, events: log.after(query.since ?? 0, query.limit, query.device) };
    },
  );
  app.get(
    "/api/v1/stream",
    {
      schema: {
        ...needs("read"),
        summary: "Server-sent events: fleet, device, lanes, jobs, event, heartbeat",
        description: [
          "`fleet`: a page of the table, whole at first, then what changed, once a second.",
          "`device`: the row of the device that is followed. `lanes`: its newest samples in buckets, five times a second.",
          "`jobs`: the newest hundred, whole at first, then those that changed, five times a second at most.",
          "`event`: what happens. `heartbeat`: every 5 s. Ids are those of events: whoever comes back with",
          "`Last-Event-ID`, or `since`, gets the events that it missed, and everything else whole.",
          "A slow reader gets the newest state, never a backlog.",
        ].join(" "),
        querystring: Type.Object(
          {
            ...FleetViewSchema,
            table: Type.Boolean({ default: true, description: "false: no fleet" }),
            device: DEVICE,
            jobs: Type.Boolean({ default: false, description: "true: the jobs too" }),
            since: SINCE,
          },
          { additionalProperties: false },
        ),
        headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ maxLength: 32 })) }),
        produces: ["text/event-stream"],
      },
    },
    (request, reply) => {
      const { query, headers } = request;
      if (query.device !== undefined) deviceOf(context, query.device);
      const { device, table, since, jobs, ...view } = query;
      const last = Number(headers["last-event-id"] ?? Number.NaN);
      let live: LiveStream | undefined;
      const release = slots.take(
        openStream(reply.raw, () => live?.close()),
        access.visitorOf(request.raw),
      );
      reply.hijack();
      reply.raw.once("close", () => {
        live?.close();
        release();
      });
      const stream = new EventStream(reply.raw);
      if (request.method === "HEAD") return stream.end();
      const known = Number.isSafeInteger(last) && last >= 0 ? last : since;
      live = new LiveStream(context, stream, { table: table ? view : undefined, device, hasJobs: jobs, since: known });
    },
  );
}
