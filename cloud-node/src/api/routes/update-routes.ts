import { Type } from "typebox";
import { MAX_PACKAGE_BYTES } from "../../flash/update-package.ts";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { EventStream } from "../event-stream.ts";
import { ApiProblem } from "../problem.ts";
import { needs } from "../route-roles.ts";
import { DeviceUpdateSchema, UpdateCheckSchema, UpdateSchema, UpdatesSchema } from "../schemas/update-schema.ts";
import { openStream } from "../stream-slots.ts";
import { checkAnswer, refusedUpdate, stateAnswer, updateAnswer, updatesAnswer } from "../update-answers.ts";
import { UpdateFeed } from "../update-feed.ts";
import { answers } from "./answers.ts";
import { DeviceParams } from "./parameters.ts";

/** What a package comes as: a browser asks before it sends such a thing elsewhere, and is refused. */
const PACKAGE_TYPE = "application/octet-stream";
const NAMES = "^[A-Za-z0-9_*-]{1,64}(,[A-Za-z0-9_*-]{1,64})*$";
const PERCENTS = "^[0-9]{1,3}(\\.[0-9]{1,3})?(,[0-9]{1,3}(\\.[0-9]{1,3})?)*$";

const TO = Type.String({
  maxLength: 3_000,
  pattern: NAMES,
  description: "devices, with commas between; `*` stands for any letters",
});
const UPDATE_ID = "^[0-9a-f]{16}$";
const UpdateParams = Type.Object({ update: Type.String({ pattern: UPDATE_ID, description: "its id" }) });
const MOST_UPDATES = 1_000;
const DEFAULT_UPDATES = 100;

/** Packages to devices: check, begin, watch, call off. */
export function addUpdateRoutes(app: ApiApp, context: ApiContext): void {
  const { updates } = context.node;
  app.get(
    "/api/v1/updates",
    {
      schema: {
        ...needs("read", "flash"),
        summary: "The updates of devices, newest first; each of them alone names its devices",
        querystring: Type.Object(
          {
            limit: Type.Integer({ minimum: 1, maximum: MOST_UPDATES, default: DEFAULT_UPDATES }),
            cursor: Type.Optional(Type.String({ pattern: UPDATE_ID, description: "`next` of the page before" })),
          },
          { additionalProperties: false },
        ),
        response: answers(UpdatesSchema),
      },
    },
    ({ query: { limit, cursor } }) => updatesAnswer(updates.list(), limit, cursor),
  );
  app.get(
    "/api/v1/updates/:update",
    {
      schema: {
        ...needs("read", "flash"),
        summary: "One update, device by device",
        params: UpdateParams,
        response: answers(UpdateSchema),
      },
    },
    ({ params }) => updateAnswer(updates.get(params.update)),
  );
  app.get(
    "/api/v1/devices/:id/update",
    {
      schema: {
        ...needs("read", "flash"),
        summary: "How a device stands with updates",
        description: "The device is asked, so the answer may take some seconds where it does not answer.",
        params: DeviceParams,
        response: answers(DeviceUpdateSchema),
      },
    },
    async ({ params }) => {
      const { id } = deviceOf(context, params.id);
      const state = await updates.ask(id);
      const newest = updates.of(id);
      return {
        id,
        isAnswering: state !== undefined,
        state: state === undefined ? null : stateAnswer(state),
        update: newest === undefined ? null : updateAnswer(newest.rollout),
      };
    },
  );
  addUpdateStream(app, context);
  // Only here a body is read, and only of this kind.
  app.register(async (scope) => {
    const inner = scope as typeof app;
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser(PACKAGE_TYPE, { parseAs: "buffer", bodyLimit: MAX_PACKAGE_BYTES }, (_, body, done) => {
      done(null, new Uint8Array(body as Buffer));
    });
    addPackageRoutes(inner, context);
  });
  app.delete(
    "/api/v1/updates/:update",
    {
      schema: {
        ...needs("flash"),
        summary: "Call an update off",
        description: "Devices that try the new one go back; those that have confirmed it keep it.",
        params: UpdateParams,
        response: answers(UpdateSchema),
      },
    },
    ({ params }) => updateAnswer(updates.cancel(params.update)),
  );
}

/** @throws {ApiProblem} `package-refused` where nothing was sent */
function packageIn(body: unknown): Uint8Array {
  if (body instanceof Uint8Array && body.length > 0) return body;
  throw new ApiProblem("package-refused", "there is no body: send a package as application/octet-stream");
}

/** Routes that take a package. */
function addPackageRoutes(app: ApiApp, { node: { updates }, access }: ApiContext): void {
  const options = { bodyLimit: MAX_PACKAGE_BYTES };
  const consumes = [PACKAGE_TYPE];
  app.post(
    "/api/v1/updates/check",
    {
      ...options,
      schema: {
        ...needs("flash"),
        summary: "Check a package and whom it is for; nothing is kept or sent",
        consumes,
        querystring: Type.Object({ to: TO }, { additionalProperties: false }),
        response: answers(UpdateCheckSchema),
      },
    },
    async ({ query, body }) => {
      return checkAnswer(await updates.check({ bytes: packageIn(body), to: query.to.split(",") }));
    },
  );
  app.post(
    "/api/v1/updates",
    {
      ...options,
      schema: {
        ...needs("flash"),
        summary: "Bring a package to devices",
        description: [
          "The body is a package, or one for each slot, as `lockstep flash` makes them. Its signature is checked before",
          "anything is kept, each device before anything is sent. The update then goes on by itself, over restarts too.",
        ].join(" "),
        consumes,
        querystring: Type.Object(
          {
            to: TO,
            stages: Type.String({ maxLength: 200, pattern: PERCENTS, default: "100", description: "percents, to 100" }),
            maxFailures: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0, description: "then it stops" }),
            skip: Type.Boolean({ default: false, description: "leave out devices that cannot be given it" }),
          },
          { additionalProperties: false },
        ),
        response: answers(UpdateSchema),
      },
    },
    async ({ raw, query: { to, stages, maxFailures, skip }, body }) => {
      // A package takes its time, and a token may be revoked meanwhile.
      if (!access.visitorOf(raw).isIn()) throw new ApiProblem("no-token", "the token is not good any more");
      const percents = stages.split(",").map(Number);
      const wish = { bytes: packageIn(body), to: to.split(","), stages: percents, maxFailures, isSkipping: skip };
      const { rollout, ...check } = await updates.start(wish);
      if (rollout === undefined) throw refusedUpdate(checkAnswer(check));
      return updateAnswer(rollout);
    },
  );
}

function addUpdateStream(app: ApiApp, { node: { updates }, clock, slots, access }: ApiContext): void {
  app.get(
    "/api/v1/updates/:update/stream",
    {
      schema: {
        ...needs("read", "flash"),
        summary: "Server-sent events: one update as it goes on",
        description: "`update`: all of it, whole, at every change but at most five times a second; ends with its end.",
        params: UpdateParams,
        produces: ["text/event-stream"],
      },
    },
    (request, reply) => {
      const { id } = updates.get(request.params.update);
      let feed: UpdateFeed | undefined;
      const release = slots.take(
        openStream(reply.raw, () => feed?.close()),
        access.visitorOf(request.raw),
      );
      reply.hijack();
      reply.raw.once("close", () => {
        feed?.close();
        release();
      });
      const stream = new EventStream(reply.raw);
      if (request.method === "HEAD") stream.end();
      else feed = new UpdateFeed({ updates, clock, stream, id });
    },
  );
}
