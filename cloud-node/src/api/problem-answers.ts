import type { Socket } from "node:net";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { withoutSecrets } from "../access/secret-token.ts";
import { FlashError, type FlashErrorCode } from "../flash/flash-error.ts";
import { JobError } from "../jobs/job-error.ts";
import type { Logger } from "../logger.ts";
import { StoreError } from "../store/store-error.ts";
import { allowedMethods } from "./allowed-methods.ts";
import { jobProblem } from "./job-problems.ts";
import { ApiProblem, PROBLEM_TYPE, type ProblemCode, storeProblem } from "./problem.ts";
import { REFUSAL_HEADERS, securityHeaders } from "./security-headers.ts";

/** Longest address that is read, characters. */
export const MAX_URL_CHARS = 4_096;
/** No request has a body that is read. */
export const MAX_BODY_BYTES = 1_024;

/** What Fastify's own refusals are to a client. */
const REFUSALS: Readonly<Record<string, (request: FastifyRequest) => ApiProblem>> = {
  FST_ERR_BAD_URL: ({ url }) =>
    new ApiProblem("bad-url", `${shown(url)} has a percent sign that two hexadecimal digits do not follow`, {}),
  FST_ERR_CTP_BODY_TOO_LARGE: ({ routeOptions: { bodyLimit: limit } }) => {
    const need = limit === MAX_BODY_BYTES ? "reads need none" : "nothing that is taken here is so large";
    return new ApiProblem("body-too-large", `a body of over ${limit} bytes: ${need}`, { limit });
  },
};

/** Say what went wrong, in the shape of RFC 9457; what was our own mistake goes to the log. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const problem = problemOf(error, request);
  if (problem.status === 500) {
    logger.error(
      { requestId: request.id, url: shown(withoutSecrets(request.url)), cause: stackOf(problem) },
      problem.message,
    );
  }
  if (problem.status === 401) void reply.header("www-authenticate", 'Bearer realm="lockstep"');
  if (problem.code === "too-many-attempts") void reply.header("retry-after", String(problem.facts.retryAfterS));
  if (problem.status === 405) void reply.header("allow", allowedMethods(request.url));
  if (problem.status === 503) void reply.header("retry-after", problem.code === "busy" ? "1" : "5");
  return (
    reply
      .status(problem.status)
      // An address that cannot be read comes here past the hook that sets them.
      .headers({ ...securityHeaders(request.raw), "x-request-id": request.id })
      .type(PROBLEM_TYPE)
      .serializer((payload: unknown) => JSON.stringify(payload))
      .send(problem.toJson(request.id))
  );
}

/** What is not even HTTP, or too much of it, is told on the socket, and the connection ends. */
export function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  const isOverTls = error.code?.startsWith("ERR_SSL") === true || error.code?.startsWith("ERR_TLS") === true;
  // Where TLS was never agreed upon nothing can be told.
  if (socket.destroyed || !socket.writable || isOverTls || error.code === "ECONNRESET") return void socket.destroy();
  const [status, problem] = socketProblem(error.code);
  const body = JSON.stringify(problem.toJson("00000000-0000-0000-0000-000000000000"));
  const headers = {
    connection: "close",
    ...REFUSAL_HEADERS,
    ...{ "content-type": PROBLEM_TYPE, "content-length": Buffer.byteLength(body) },
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status}`, ...lines, "", body].join("\r\n"));
}

/** The status line of what is no request, and why. */
function socketProblem(code: string | undefined): readonly [status: string, problem: ApiProblem] {
  if (code === "HPE_HEADER_OVERFLOW") {
    const problem = new ApiProblem("head-too-large", "the address and headers are over 16 kB: send less");
    return ["431 Request Header Fields Too Large", problem];
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return [
      "408 Request Timeout",
      new ApiProblem("too-slow", "the request was not all there in time: send it at once"),
    ];
  }
  return ["400 Bad Request", new ApiProblem("bad-url", "this is no HTTP request")];
}

function problemOf(error: unknown, request: FastifyRequest): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof FlashError) return flashProblem(error);
  if (error instanceof JobError) return jobProblem(error);
  if (error instanceof StoreError) return storeProblem(error);
  const { code = "", validation, validationContext } = error as Partial<FastifyError>;
  const [first] = validation ?? [];
  if (first !== undefined) {
    const { instancePath, message = "is wrong", params } = first;
    const extra = "additionalProperty" in params ? String(params.additionalProperty) : undefined;
    const name = (extra ?? instancePath.slice(1)) || (validationContext ?? "");
    const value = String((request.query as Record<string, unknown>)[name] ?? "").slice(0, 40);
    const allowed = "allowedValues" in params ? `: ${(params.allowedValues as string[]).join(", ")}` : "";
    const field = validationContext === "body" ? `${name.replaceAll("/", ".")} of the body` : `${name}=${value}`;
    const detail = extra === undefined ? `${field} ${message}${allowed}` : `there is no parameter ${shown(extra)}`;
    return new ApiProblem("bad-parameter", `${detail}; see /api/v1/openapi.json`, { parameter: shown(name), value });
  }
  const refusal = REFUSALS[code]?.(request);
  if (refusal !== undefined) return refusal;
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE" && request.routeOptions.bodyLimit !== MAX_BODY_BYTES) {
    const given = shown(request.headers["content-type"] ?? "nothing");
    return new ApiProblem("package-refused", `the body is ${given}: send a package as application/octet-stream`);
  }
  // Whatever else is wrong with a body: no other method that has one is answered.
  if (code.startsWith("FST_ERR_CTP_")) return new ApiProblem("method-not-allowed", "reads need no body: send none");
  return new ApiProblem("internal", "this is a mistake of the server; its log names the request", {}, { cause: error });
}

/** What is wrong with a package or an update, in the words of whoever refused it. */
function flashProblem(error: FlashError): ApiProblem {
  const code = FLASH_PROBLEMS[error.code] ?? "package-refused";
  return new ApiProblem(code, error.message, { refusal: error.code }, { cause: error });
}

const FLASH_PROBLEMS: Readonly<Partial<Record<FlashErrorCode, ProblemCode>>> = {
  "unknown-update": "unknown-update",
  "update-over": "update-over",
  "bad-order": "bad-parameter",
  busy: "update-refused",
  closed: "closing",
};

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function stackOf({ cause }: Error): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
