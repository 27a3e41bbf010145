import { ROLES } from "../access/role.ts";
import type { AccessControl } from "./access-control.ts";
import type { ApiApp } from "./api-app.ts";
import type { HostCheck } from "./host-check.ts";
import { ApiProblem } from "./problem.ts";
import { MAX_URL_CHARS } from "./problem-answers.ts";
import { rolesNeeded } from "./route-roles.ts";
import { securityHeaders } from "./security-headers.ts";
import { checkSender } from "./sender-check.ts";
import type { StaticFiles } from "./static-files.ts";

/** What requests are let in by. */
export interface GateOptions {
  readonly access: AccessControl;
  readonly hosts: HostCheck;
  /** The page's own files hold nothing of the fleet: they are what one logs in with. */
  readonly files: StaticFiles;
}

/** Let in, before anything of it is read, what is sent to this node, by a sender of its own, with a role that may. */
export function addRequestGate(app: ApiApp, { access, hosts, files }: GateOptions): void {
  app.addHook("onRoute", ({ schema, url }) => {
    // A route that does not say who may ask is found when the server starts, not when somebody gets in.
    rolesNeeded(schema, url);
  });
  app.addHook("onRequest", async (request, reply) => {
    const { raw, url } = request;
    reply.header("x-request-id", request.id).headers(securityHeaders(raw));
    if (url.length > MAX_URL_CHARS) {
      const detail = `an address of ${url.length} characters, and ${MAX_URL_CHARS} is the limit: ask for less`;
      throw new ApiProblem("url-too-long", detail, { limit: MAX_URL_CHARS });
    }
    if (url.startsWith("/api/")) reply.header("cache-control", "no-store");
    hosts.check(raw);
    checkSender(raw, { isOpen: access.isOpen, hasCookie: access.cookie.isIn(raw.headers.cookie) });
    if (request.is404) {
      // Where nothing is, not even that is told to strangers.
      const path = pathOf(url);
      if (path !== "/" && files.get(path) === undefined) await access.admit(raw, ROLES);
      return;
    }
    const roles = rolesNeeded(request.routeOptions.schema, url);
    if (roles.length > 0) await access.admit(raw, roles);
  });
  app.addHook("preHandler", async ({ query }) => {
    // What text is too large for a number becomes Infinity, which passes for an integer within any limit.
    for (const [name, value] of Object.entries(query ?? {})) {
      if (typeof value !== "number" || Number.isFinite(value)) continue;
      throw new ApiProblem("bad-parameter", `${name} is no number that there is; see /api/v1/openapi.json`, {
        parameter: name,
      });
    }
  });
  app.addHook("onError", async (_request, _reply, error) => {
    const problem: unknown = error;
    if (problem instanceof ApiProblem && REFUSALS.has(problem.code)) access.refused.add(problem.code);
  });
}

/** Problems of whoever asks, by which an operator sees that somebody tries. */
const REFUSALS: ReadonlySet<string> = new Set([
  "no-token",
  "bad-token",
  "role-missing",
  "forwarded",
  "from-a-page",
  "wrong-host",
  "too-many-attempts",
  "too-many-streams",
]);

function pathOf(url: string): string {
  return url.replace(/[?#].*$/s, "");
}
