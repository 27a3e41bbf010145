import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { ApiApp, ApiContext } from "../api-app.ts";
import { checkRoom } from "../blob-room.ts";
import { ApiProblem } from "../problem.ts";
import { liftRequestTime, limitRequestTime } from "../request-times.ts";
import { needs } from "../route-roles.ts";
import { BlobSchema, JOB_ID } from "../schemas/job-schema.ts";
import { openStream } from "../stream-slots.ts";
import { bytesFrom, uploadRange } from "../upload.ts";
import { answers } from "./answers.ts";
import { jobsOf } from "./job-routes.ts";

const BlobParams = Type.Object({ sha256: Type.String({ pattern: JOB_ID, description: "SHA-256 of the bytes" }) });
/** How many bytes of an upload are kept. */
const KEPT = "upload-offset";
const BINARY = "application/octet-stream";
const CLOSING = "the node is shutting down: go on later";

/** What jobs are given and what they leave: bytes by their SHA-256. */
export function addBlobRoutes(app: ApiApp, context: ApiContext): void {
  app.get(
    "/api/v1/blobs/:sha256",
    {
      schema: {
        ...needs("read", "jobs"),
        summary: "The bytes of a blob",
        description: [
          "Checked as they are sent: where the bytes on the disk turn out to be others, the answer is cut off. `HEAD` says",
          `whether all of them are there, and in the header \`${KEPT}\` how many of a broken upload are.`,
        ].join(" "),
        params: BlobParams,
        produces: [BINARY],
      },
    },
    async (request, reply) => await sendBlob(context, request.params.sha256, request, reply),
  );
  app.register(async (scope) => {
    const inner = scope as typeof app;
    inner.removeAllContentTypeParsers();
    // Read by the store as it comes, whatever it is called.
    inner.addContentTypeParser("*", (_request, body, done) => done(null, body));
    inner.put(
      "/api/v1/blobs/:sha256",
      {
        schema: {
          ...needs("jobs"),
          summary: "Keep bytes, for a job that is to be handed in",
          description: [
            "Kept for good once this is answered; forgotten an hour later, or more, where no job names them. An upload that",
            `was broken off goes on where \`HEAD\` says (\`${KEPT}\`), with \`content-range: bytes FROM-LAST/ALL\`.`,
          ].join(" "),
          params: BlobParams,
          consumes: [BINARY],
          response: answers(BlobSchema),
        },
      },
      async (request, reply) => await takeBlob(context, request.params.sha256, request, reply),
    );
  });
}

async function sendBlob(
  context: ApiContext,
  sha256: string,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { blobs } = jobsOf(context);
  const facts = await blobs.stat(sha256);
  if (facts === undefined) {
    const kept = await blobs.begun(sha256);
    void reply.header(KEPT, String(kept));
    throw new ApiProblem("unknown-blob", `the bytes of ${sha256} are not all there: ${kept} of them are kept`, {
      kept,
    });
  }
  void reply.type(BINARY).header(KEPT, String(facts.bytes)).header("content-length", String(facts.bytes));
  if (raw.method === "HEAD") return await reply.send(Readable.from([]));
  const controller = new AbortController();
  const source = Readable.from(blobs.get(facts, { signal: controller.signal }), { objectMode: false });
  const end = (cause?: Error): void => {
    controller.abort();
    source.destroy(cause);
  };
  const release = context.slots.take(
    openStream(reply.raw, () => end(new ApiProblem("closing", CLOSING))),
    context.access.visitorOf(raw),
  );
  source.once("close", release);
  reply.raw.once("close", () => end());
  return await reply.send(source);
}

async function takeBlob(
  context: ApiContext,
  sha256: string,
  { raw, body }: FastifyRequest,
  reply: FastifyReply,
): Promise<{ sha256: string; bytes: number }> {
  const { blobs, folder } = jobsOf(context);
  const { fromByte, bytes } = uploadRange(raw);
  // What is there already takes no room.
  if ((await blobs.stat(sha256))?.bytes !== bytes) await checkRoom(folder, bytes);
  const controller = new AbortController();
  const visitor = context.access.visitorOf(raw);
  const release = context.slots.take(
    openStream(reply.raw, () => {
      controller.abort();
      raw.destroy();
    }),
    visitor,
  );
  liftRequestTime(raw);
  try {
    // What was read too much is no reason to end the connection, over which the answer goes.
    const chunks = body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : Readable.from([]);
    const kept = await blobs.put((wanted) => bytesFrom(chunks, fromByte, wanted), {
      expect: { sha256, bytes },
      signal: controller.signal,
    });
    return { sha256: kept.sha256, bytes: kept.bytes };
  } catch (error) {
    if (controller.signal.aborted) throw new ApiProblem("closing", CLOSING, {}, { cause: error });
    if (raw.destroyed && !raw.complete) {
      throw new ApiProblem("too-slow", "the upload was broken off: go on where HEAD says", {}, { cause: error });
    }
    if (error instanceof ApiProblem && error.code === "wrong-offset") void reply.header(KEPT, String(error.facts.kept));
    throw error;
  } finally {
    limitRequestTime(raw);
    release();
  }
}
