import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { ApiApp, ApiContext } from "./api-app.ts";
import type { ApiNode, ApiRepublish, TruthOf } from "./api-node.ts";
import { addCompression } from "./compression.ts";
import { EventLog } from "./event-log.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { HistoryAccess } from "./history-access.ts";
import { Metrics } from "./metrics.ts";
import { describeApi } from "./openapi.ts";
import { ApiProblem } from "./problem.ts";
import { MAX_BODY_BYTES, MAX_URL_CHARS, refuseSocket, sendProblem } from "./problem-answers.ts";
import { addDeviceRoutes } from "./routes/device-routes.ts";
import { addEventRoutes } from "./routes/event-routes.ts";
import { addGapRoutes } from "./routes/gap-routes.ts";
import { addHealthRoutes } from "./routes/health-routes.ts";
import { addHistoryRoutes } from "./routes/history-routes.ts";
import { addPageRoutes } from "./routes/page-routes.ts";
import { addTrafficRoutes } from "./routes/traffic-routes.ts";
import { addTruthRoutes } from "./routes/truth-routes.ts";
import { addUpdateRoutes } from "./routes/update-routes.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { StaticFiles } from "./static-files.ts";
import { StreamSlots } from "./stream-slots.ts";

/** What a server needs. */
export interface HttpServerOptions {
  readonly node: ApiNode;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** How many further ports to try when that one is taken. */
  readonly morePorts?: number;
  readonly truthOf?: TruthOf | undefined;
  /** Where reconstructed values flow on to others. */
  readonly republish?: ApiRepublish | undefined;
  /** Long answers at once. */
  readonly maxStreams?: number;
}

/** Where Vite puts the built page, seen from `dist/api` and from `src/api` alike. */
const PAGE_FOLDER = fileURLToPath(new URL("../../dashboard/dist", import.meta.url));
const DEFAULT_MAX_STREAMS = 256;
/** A request's head must come within this time, and a connection that says nothing is closed after it. */
const HEAD_TIMEOUT_MS = 30_000;
/** What is being answered when the server closes may take so long, then it is cut. */
const DRAIN_MS = 2_000;

/** Serves the page, the API under `/api/v1`, its live stream, and what machines ask, over HTTP; nothing but updates of devices changes anything. */
export class HttpServer {
  readonly url: string;
  readonly port: number;
  readonly #app: ApiApp;
  readonly #context: ApiContext;

  private constructor(app: ApiApp, context: ApiContext, host: string) {
    const address = app.server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    const name = host === "127.0.0.1" ? "localhost" : host.includes(":") ? `[${host}]` : host;
    this.url = `http://${name}:${this.port}`;
    this.#app = app;
    this.#context = context;
  }

  /**
   * Start to listen.
   *
   * @throws the system's error when no port could be had (`EADDRINUSE`, `EACCES`)
   */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const { node, clock, truthOf = () => undefined, republish, maxStreams = DEFAULT_MAX_STREAMS } = options;
    const log = new EventLog();
    const fleet = new FleetWatch({ node, clock, truthOf, log });
    const slots = new StreamSlots(maxStreams);
    const metrics = new Metrics({ node, fleet, clock, republish, streams: () => slots.count });
    const history = new HistoryAccess(node.history);
    const context = { node, clock, truthOf, fleet, log, slots, metrics, republish, history };
    try {
      const app = await createApp(context, options.logger);
      await listen(app, options);
      return new HttpServer(app, context, options.host);
    } catch (error) {
      release(context);
      throw error;
    }
  }

  /** Samples of a device confirmed since this server started. */
  samplesOf(device: string): number {
    return this.#context.fleet.samples(device);
  }

  /** Long answers that are being sent. */
  get openStreams(): number {
    return this.#context.slots.count;
  }

  /** Bytes of them that wait for their readers. */
  get queuedBytes(): number {
    return this.#context.slots.queuedBytes;
  }

  /** Take no request more, end every stream, let short answers finish, and stop listening. */
  async close(): Promise<void> {
    this.#context.slots.endAll();
    const cut = this.#context.clock.setTimer(() => this.#app.server.closeAllConnections(), DRAIN_MS);
    await this.#app.close();
    cut.cancel();
    release(this.#context);
  }
}

function release({ fleet, metrics }: ApiContext): void {
  fleet.close();
  metrics.close();
}

/** What a page may do. No page of ours does more, and one from elsewhere could pass for it: by another name for this address. */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

async function createApp(context: ApiContext, logger: Logger): Promise<ApiApp> {
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: HEAD_TIMEOUT_MS,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: MAX_URL_CHARS },
    ajv: { customOptions: { removeAdditional: false, allErrors: false } },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, logger),
    clientErrorHandler: refuseSocket,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id).headers(SECURITY_HEADERS);
    if (request.url.length > MAX_URL_CHARS) {
      const detail = `an address of ${request.url.length} characters, and ${MAX_URL_CHARS} is the limit: ask for less`;
      throw new ApiProblem("url-too-long", detail, { limit: MAX_URL_CHARS });
    }
    if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
    if (!READS.has(request.method) && request.headers.origin !== undefined) {
      const origin = request.headers.origin.slice(0, 80);
      throw new ApiProblem(
        "from-a-page",
        `a page of ${origin} asks for this: use \`lockstep flash\`, or any other program`,
      );
    }
  });
  app.addHook("onResponse", async (request, reply) => {
    const { id: requestId, method, url } = request;
    const facts = {
      requestId,
      method,
      url: url.slice(0, 200),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    logger.debug(facts, "answered");
  });
  addCompression(app);
  await app.register(swagger, describeApi());
  addDeviceRoutes(app, context);
  addHistoryRoutes(app, context);
  addGapRoutes(app, context);
  addTrafficRoutes(app, context);
  addTruthRoutes(app, context);
  addEventRoutes(app, context);
  addUpdateRoutes(app, context);
  addHealthRoutes(app, context);
  addPageRoutes(app, new StaticFiles(PAGE_FOLDER));
  app.get("/api/v1/openapi.json", { schema: { hide: true } }, () => app.swagger());
  await app.ready();
  return app;
}

async function listen(app: ApiApp, { host, port, morePorts = 0 }: HttpServerOptions): Promise<void> {
  for (let tried = 0; ; tried++) {
    try {
      await app.listen({ host, port: port === 0 ? 0 : port + tried });
      return;
    } catch (error) {
      const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!isTaken || tried >= morePorts) throw error;
    }
  }
}
