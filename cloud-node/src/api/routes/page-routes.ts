import type { FastifyReply, FastifyRequest } from "fastify";
import { allowedMethods } from "../allowed-methods.ts";
import type { ApiApp } from "../api-app.ts";
import { takesGzip } from "../compression.ts";
import { ApiProblem } from "../problem.ts";
import type { StaticFiles } from "../static-files.ts";

const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** The page, and what is said where nothing is. */
export function addPageRoutes(app: ApiApp, files: StaticFiles): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/[?#].*$/s, "");
    const allowed = allowedMethods(request.url);
    if (request.method === "OPTIONS") return reply.status(204).header("allow", allowed).send();
    if (!READS.has(request.method)) {
      throw new ApiProblem("method-not-allowed", `${request.method} is not answered here; only ${allowed} are`);
    }
    if (path === "/" || files.get(path) !== undefined) return sendFile(path, files, request, reply);
    throw new ApiProblem("not-found", `nothing is at ${path.slice(0, 80)}; /api/v1/openapi.json says what there is`);
  });
}

function sendFile(path: string, files: StaticFiles, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const file = files.get(path);
  if (file === undefined) {
    const text = "The page is not built: type `npm run build` in the clone.\n";
    return reply.status(503).type("text/plain; charset=utf-8").send(text);
  }
  const { bytes, gzipped, type, isHashed } = file;
  void reply
    .status(200)
    .type(type)
    .header("vary", "accept-encoding")
    .header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  if (gzipped === undefined || !takesGzip(request.headers["accept-encoding"])) return reply.send(bytes);
  return reply.header("content-encoding", "gzip").send(gzipped);
}
