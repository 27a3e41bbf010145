import type { ApiApp, ApiContext } from "../api-app.ts";
import { ApiProblem } from "../problem.ts";
import { NEEDS_NOTHING, needs } from "../route-roles.ts";

/** What machines ask: alive, ready, and the numbers of Prometheus. None of it is part of the described API. */
export function addHealthRoutes(app: ApiApp, { node, metrics, republish }: ApiContext): void {
  app.get("/healthz", { schema: { ...NEEDS_NOTHING, hide: true } }, () => ({ status: "ok" }));
  app.get("/readyz", { schema: { ...needs("read"), hide: true } }, () => {
    const { store, broker } = node.health();
    const republished = republish?.isRequired === true ? republish.problem : null;
    const problem = [store, broker, republished].filter((text) => text !== null).join("; ");
    if (problem !== "") throw new ApiProblem("not-ready", problem);
    return { status: "ready", store: "writable", broker: node.mqttUrl === null ? "none" : "reachable" };
  });
  app.get("/metrics", { schema: { ...needs("read"), hide: true } }, async (_, reply) => {
    return await reply.type(metrics.contentType).send(await metrics.text());
  });
}
