import type { ApiApp } from "./api-app.ts";
import type { ApiProblem } from "./problem.ts";

/**
 * Take JSON alone in a scope's requests; the schema says what it must be.
 *
 * @param limit  bytes of a body
 * @param notJson  what is answered to one that is none
 */
export function takeJsonAlone(scope: ApiApp, limit: number, notJson: () => ApiProblem): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("application/json", { parseAs: "string", bodyLimit: limit }, (_request, body, done) => {
    const value = parsed(String(body));
    if (value === undefined) done(notJson());
    else done(null, value);
  });
  scope.addContentTypeParser("*", (_request, _body, done) => done(notJson()));
}

/** What a text says; undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
