import type { FastifyRequest } from "fastify";
import { ROLES } from "../../access/role.ts";
import type { ApiApp, ApiContext } from "../api-app.ts";
import { takeJsonAlone } from "../json-body.ts";
import { ApiProblem } from "../problem.ts";
import { NEEDS_NOTHING, needs } from "../route-roles.ts";
import { LogInSchema, type SessionAnswer, SessionSchema } from "../schemas/session-schema.ts";
import { answers } from "./answers.ts";

/** A token in JSON has far less. */
const LOG_IN_BYTES = 1_024;
const URL = "/api/v1/session";

/** Log in on the page, see who one is, log out. */
export function addSessionRoutes(app: ApiApp, { access }: ApiContext): void {
  const told = ({ raw }: FastifyRequest): SessionAnswer => {
    const { name, roles, expires } = access.visitorOf(raw);
    return { isOpen: access.isOpen, name, roles: [...roles], expires };
  };
  app.get(
    URL,
    { schema: { ...needs(...ROLES), summary: "Who one is to the node", response: answers(SessionSchema) } },
    (request) => told(request),
  );
  app.delete(
    URL,
    { schema: { ...NEEDS_NOTHING, summary: "Log out", response: answers(SessionSchema) } },
    (request, reply): SessionAnswer => {
      access.logOut(request.raw);
      void reply.header("set-cookie", access.cookie.end());
      return { isOpen: access.isOpen, name: null, roles: [], expires: null };
    },
  );
  app.register(async (scope) => {
    const inner = scope as typeof app;
    takeJsonAlone(inner, LOG_IN_BYTES, notJson);
    inner.post(
      URL,
      {
        bodyLimit: LOG_IN_BYTES,
        schema: {
          ...NEEDS_NOTHING,
          summary: "Log in with a token that may read",
          description:
            "The answer sets a cookie for this host alone, which no script can read. Pages need no other way.",
          body: LogInSchema,
          response: answers(SessionSchema),
        },
      },
      async (request, reply): Promise<SessionAnswer> => {
        const cookie = await access.logIn(request.raw, request.body.token);
        if (cookie !== undefined) void reply.header("set-cookie", cookie);
        return told(request);
      },
    );
  });
}

function notJson(): ApiProblem {
  return new ApiProblem("bad-parameter", 'the body is no JSON: send {"token":"…"} as application/json');
}
