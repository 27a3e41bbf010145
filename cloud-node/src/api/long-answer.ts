import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { takesGzip } from "./compression.ts";
import { jsonSlices } from "./json-slices.ts";
import { ApiProblem } from "./problem.ts";
import { openStream, type StreamSlots } from "./stream-slots.ts";
import type { Visitor } from "./visitor.ts";

/** A reader of a stream that takes nothing for so long is cut off, ms. */
const STALL_MS = 30_000;

/** A request, and what its answer needs. */
export interface Answering {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly slots: StreamSlots;
  /** Who it is for. */
  readonly visitor: Visitor;
}

/** Send text as it is made. @throws {ApiProblem} `too-many-streams` */
export async function sendText(answering: Answering, text: AsyncIterable<string>): Promise<FastifyReply> {
  const stream = Readable.from(text, { objectMode: false, encoding: "utf8" });
  return await send(answering, stream);
}

/**
 * Send an answer that may be long: a short one whole, a long one in pieces, between which others get their turn.
 *
 * @throws {ApiProblem} `too-many-streams`
 */
export async function sendJson(answering: Answering, answer: object): Promise<FastifyReply> {
  const { request, reply } = answering;
  reply.type("application/json; charset=utf-8").serializer((text: string) => text);
  const pieces = jsonSlices(answer);
  const [first, second] = [pieces.next().value ?? "", pieces.next().value];
  if (second === undefined) return await reply.send(first);
  reply.header("vary", "accept-encoding");
  const text = Readable.from(inTurns(first + second, pieces), { objectMode: false, encoding: "utf8" });
  return await send(answering, text, takesGzip(request.headers["accept-encoding"]));
}

/** Pieces of text, with a turn of the event loop behind each. */
export async function* inTurns(first: string, rest: Iterable<string>): AsyncGenerator<string> {
  yield first;
  for (const piece of rest) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    yield piece;
  }
}

async function send(
  { request, reply, slots, visitor }: Answering,
  source: Readable,
  isZipped = false,
): Promise<FastifyReply> {
  if (request.method === "HEAD") {
    source.destroy();
    if (isZipped) reply.header("content-encoding", "gzip");
    return await reply.send("");
  }
  const closing = new ApiProblem("closing", "the node is shutting down: ask again later");
  const release = slots.take(
    openStream(reply.raw, () => source.destroy(closing)),
    visitor,
  );
  source.once("close", release);
  // Not before there is a slot: a refusal is no gzip.
  if (isZipped) reply.header("content-encoding", "gzip");
  const stream = isZipped ? pipeline(source, createGzip(), () => {}) : source;
  // Whoever stops reading holds what is sent to it, a decoder, and its place in the store.
  reply.raw.setTimeout(STALL_MS, () => reply.raw.destroy());
  return await reply.send(stream);
}
