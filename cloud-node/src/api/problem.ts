import type { StoreError } from "../store/store-error.ts";

/** What can go wrong with a request, with the HTTP status that says so. */
const PROBLEMS = {
  "bad-parameter": { status: 400, title: "A parameter is not what it should be" },
  "bad-url": { status: 400, title: "The address cannot be read" },
  "unknown-channel": { status: 400, title: "The device has no such channel" },
  "range-reversed": { status: 400, title: "The range ends before it begins" },
  "range-too-long": { status: 400, title: "The range is too long for this format" },
  "no-token": { status: 401, title: "A token is needed" },
  "bad-token": { status: 401, title: "The token is not good" },
  "role-missing": { status: 403, title: "The token may not do this" },
  forwarded: { status: 403, title: "Through a proxy nobody is let in without a token" },
  "from-a-page": { status: 403, title: "A page in a browser may only read" },
  "unknown-device": { status: 404, title: "No such device" },
  "truth-unknown": { status: 404, title: "Nobody knows what the device really saw" },
  "unknown-update": { status: 404, title: "No such update" },
  "no-jobs": { status: 404, title: "The node has no queue of jobs" },
  "unknown-job": { status: 404, title: "No such job" },
  "unknown-blob": { status: 404, title: "These bytes are not all there" },
  "not-found": { status: 404, title: "Nothing is here" },
  "method-not-allowed": { status: 405, title: "This server only answers reads" },
  "too-slow": { status: 408, title: "The request did not come in time" },
  "update-refused": { status: 409, title: "The devices cannot be given this package" },
  "update-over": { status: 409, title: "The update is over" },
  "wrong-state": { status: 409, title: "The job does not stand so that this could be done" },
  "wrong-offset": { status: 409, title: "The upload goes on at another byte" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "url-too-long": { status: 414, title: "The address is too long" },
  "too-many-attempts": { status: 429, title: "Too many wrong tokens" },
  "head-too-large": { status: 431, title: "The request's head is too large" },
  "wrong-host": { status: 421, title: "The node does not go by this name" },
  "package-refused": { status: 422, title: "The package is not taken" },
  "job-refused": { status: 422, title: "The job is not taken" },
  "blob-refused": { status: 422, title: "The bytes are not what they should be" },
  "store-failed": { status: 500, title: "The store cannot be read or written" },
  internal: { status: 500, title: "The server made a mistake" },
  busy: { status: 503, title: "More is asked than can be read at once" },
  "too-many-streams": { status: 503, title: "Too many streams are open" },
  "queue-away": { status: 503, title: "The queue of jobs is out of reach" },
  "not-ready": { status: 503, title: "The node is not ready" },
  closing: { status: 503, title: "The node is shutting down" },
  "disk-full": { status: 507, title: "The disk is full" },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** All codes, for the description of the API. */
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** A request that cannot be answered. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly code: ProblemCode;
  readonly facts: Readonly<Record<string, string | number>>;

  /**
   * @param detail  what is wrong, with value and limit, and what to do
   * @param facts  the same for programs
   */
  constructor(
    code: ProblemCode,
    detail: string,
    facts: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.code = code;
    this.facts = facts;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  /**
   * The body of the answer.
   *
   * @param requestId  named in the log too
   * @see RFC 9457
   */
  toJson(requestId: string) {
    const { status, title } = PROBLEMS[this.code];
    const { code, message: detail } = this;
    const instance = `urn:uuid:${requestId}`;
    return { type: `urn:lockstep:problem:${code}`, code, title, status, detail, instance, ...this.facts };
  }
}

/** How a problem is sent. */
export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** Why the store cannot do what was asked. */
export function storeProblem(cause: StoreError): ApiProblem {
  return cause.code === "closed"
    ? new ApiProblem("closing", "the node is shutting down: ask again later", {}, { cause })
    : new ApiProblem("store-failed", `${cause.message}; see the node's log`, { store: cause.code }, { cause });
}
