import type { IncomingMessage } from "node:http";
import { ApiProblem } from "./problem.ts";
import { isOverTls } from "./tls-request.ts";

/** What changes nothing. */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** What is known of who sends a request. */
export interface Sender {
  /** Nobody has to log in: then nothing tells our own page from another one that goes by this address. */
  readonly isOpen: boolean;
  /** It carries the cookie of this node, which a browser adds by itself. */
  readonly hasCookie: boolean;
}

/**
 * Refuses what a page of another origin asks for, whose browser would lend it the cookie, or this machine's address.
 * Its reads are refused too: it could not look at them, but it could hold them open. A link from elsewhere may be followed.
 *
 * @throws {ApiProblem} `from-a-page`
 */
export function checkSender(request: IncomingMessage, { isOpen, hasCookie }: Sender): void {
  const { origin, "sec-fetch-site": site, "sec-fetch-mode": mode } = request.headers;
  const isElsewhere = site !== undefined && site !== "same-origin" && site !== "none";
  if (READS.has(request.method ?? "")) {
    if (isElsewhere && mode !== "navigate") throw fromPage(origin);
    return;
  }
  if (origin === undefined ? !hasCookie : !isOpen && !isElsewhere && isOwn(origin, request)) return;
  throw fromPage(origin);
}

function isOwn(origin: string, request: IncomingMessage): boolean {
  const { host } = request.headers;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const isWeb = protocol === "https:" || (protocol === "http:" && !isOverTls(request));
  const here = `${protocol}//${host}`;
  return isWeb && URL.canParse(here) && new URL(here).host === from;
}

function fromPage(origin: string | undefined): ApiProblem {
  const page = origin === undefined ? "a page that does not say where it is from" : `a page of ${origin.slice(0, 80)}`;
  return new ApiProblem("from-a-page", `${page} asks for this: use the \`lockstep\` command, or any other program`);
}
