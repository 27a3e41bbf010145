import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ApiApp } from "./api-app.ts";

/** Shorter answers fit into a packet as they are. */
const MIN_BYTES = 1_400;

const gzipAsync = promisify(gzip);

/** Compress whole answers for those who take it; streams are sent as they come. */
export function addCompression(app: ApiApp): void {
  app.addHook("onSend", async (request, reply, payload) => {
    if (typeof payload !== "string" || payload.length < MIN_BYTES || reply.hasHeader("content-encoding"))
      return payload;
    reply.header("vary", "accept-encoding");
    if (!takesGzip(request.headers["accept-encoding"])) return payload;
    const bytes = await gzipAsync(payload);
    reply.header("content-encoding", "gzip").header("content-length", bytes.length);
    return bytes;
  });
}

/** Whether a client takes gzip. @param header  of `accept-encoding` */
export function takesGzip(header: string | string[] | undefined): boolean {
  return /(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[^,]*)?\s*(,|$)/.test(String(header ?? ""));
}
