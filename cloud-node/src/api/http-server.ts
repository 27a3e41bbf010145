import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";
import { refuseOpenPage } from "../access/open-door.ts";
import { withoutSecrets } from "../access/secret-token.ts";
import type { TlsFiles } from "../access/tls-files.ts";
import { TokenBook } from "../access/token-book.ts";
import { TokenWatch } from "../access/token-watch.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { AccessControl } from "./access-control.ts";
import type { ApiApp, ApiContext } from "./api-app.ts";
import type { ApiNode, ApiRepublish, TruthOf } from "./api-node.ts";
import { addCompression } from "./compression.ts";
import { EventLog } from "./event-log.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { HistoryAccess } from "./history-access.ts";
import { HostCheck } from "./host-check.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./http-limits.ts";
import { createListener } from "./http-listener.ts";
import { JobWatch } from "./job-watch.ts";
import { Metrics } from "./metrics.ts";
import { describeApi } from "./openapi.ts";
import { MAX_BODY_BYTES, MAX_URL_CHARS, refuseSocket, sendProblem } from "./problem-answers.ts";
import { addRequestGate } from "./request-gate.ts";
import { needs } from "./route-roles.ts";
import { addBlobRoutes } from "./routes/blob-routes.ts";
import { addDeviceRoutes } from "./routes/device-routes.ts";
import { addEventRoutes } from "./routes/event-routes.ts";
import { addGapRoutes } from "./routes/gap-routes.ts";
import { addHealthRoutes } from "./routes/health-routes.ts";
import { addHistoryRoutes } from "./routes/history-routes.ts";
import { addJobRoutes } from "./routes/job-routes.ts";
import { addPageRoutes } from "./routes/page-routes.ts";
import { addSessionRoutes } from "./routes/session-routes.ts";
import { addTrafficRoutes } from "./routes/traffic-routes.ts";
import { addTruthRoutes } from "./routes/truth-routes.ts";
import { addUpdateRoutes } from "./routes/update-routes.ts";
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
  /** undefined: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Whether whoever connects must show a certificate that the authorities in `tls` signed. */
  readonly needsCertificate?: boolean | undefined;
  /** Names with a dot by which the page is reached. */
  readonly pageNames?: readonly string[];
  /** Where reconstructed values flow on to others. */
  readonly republish?: ApiRepublish | undefined;
  readonly limits?: Partial<HttpLimits>;
}

/** Where Vite puts the built page, seen from `dist/api` and from `src/api` alike. */
const PAGE_FOLDER = fileURLToPath(new URL("../../dashboard/dist", import.meta.url));
/** What is being answered when the server closes may take so long, then it is cut. */
const DRAIN_MS = 2_000;

/** Serves the page, the API under `/api/v1`, its live stream, and what machines ask, over HTTP; nothing but updates of devices and jobs changes anything there. */
export class HttpServer {
  readonly url: string;
  readonly port: number;
  readonly #app: ApiApp;
  readonly #context: ApiContext;
  readonly #tokens: TokenWatch;

  private constructor(app: ApiApp, context: ApiContext, tokens: TokenWatch, { host, tls }: HttpServerOptions) {
    const address = app.server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    const name = host === "127.0.0.1" ? "localhost" : host.includes(":") ? `[${host}]` : host;
    this.url = `http${tls === undefined ? "" : "s"}://${name}:${this.port}`;
    this.#app = app;
    this.#context = context;
    this.#tokens = tokens;
  }

  /**
   * Start to listen.
   *
   * @throws {AccessError} `open-door` where others could reach it, and no token was ever made
   * @throws {TokenError} `bad-book`, `book-open`
   * @throws the system's error when no port could be had (`EADDRINUSE`, `EACCES`)
   */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const { node, clock, logger, tls, truthOf = () => undefined, republish } = options;
    const tokens = await openTokens(options);
    const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
    const log = new EventLog();
    const fleet = new FleetWatch({ node, clock, truthOf, log });
    const slots = new StreamSlots(limits.streams, limits.streamsPerToken);
    const access = new AccessControl({ tokens, clock, logger, storeFile: node.storeFile, isTls: tls !== undefined });
    access.onChange(() => slots.endStrangers());
    const metrics = new Metrics({ node, fleet, clock, access, republish, streams: () => slots.count });
    const history = new HistoryAccess(node.history);
    const jobs = node.jobs === null ? undefined : new JobWatch(node.jobs.queue, clock);
    const context = { node, clock, truthOf, fleet, log, slots, metrics, history, access, republish, jobs };
    try {
      const app = await createApp(context, options, limits);
      await listen(app, options);
      return new HttpServer(app, context, tokens, options);
    } catch (error) {
      release(context);
      await tokens.close();
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
    await this.#tokens.close();
  }
}

function release({ fleet, metrics }: ApiContext): void {
  fleet.close();
  metrics.close();
}

/** The tokens beside the store, whatever the server is opened for. @throws {AccessError} `open-door` */
async function openTokens({ node: { storeFile }, clock, logger, host }: HttpServerOptions): Promise<TokenWatch> {
  const tokens = await TokenWatch.open({ book: new TokenBook(storeFile), clock, logger });
  try {
    if (tokens.isOpen) refuseOpenPage(host, storeFile);
    return tokens;
  } catch (error) {
    await tokens.close();
    throw error;
  }
}

async function createApp(context: ApiContext, options: HttpServerOptions, limits: HttpLimits): Promise<ApiApp> {
  const { logger, tls, needsCertificate = false, pageNames = [] } = options;
  const { access } = context;
  const { refused } = access;
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: "idle",
    serverFactory: (listener) => createListener(listener, { limits, tls, needsCertificate, refused }),
    routerOptions: { maxParamLength: MAX_URL_CHARS },
    ajv: { customOptions: { removeAdditional: false, allErrors: false } },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, logger),
    clientErrorHandler: refuseSocket,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  const files = new StaticFiles(PAGE_FOLDER);
  addRequestGate(app, { access, hosts: new HostCheck(pageNames), files });
  app.addHook("onResponse", async (request, reply) => {
    const { id: requestId, method, url } = request;
    const facts = {
      requestId,
      method,
      url: withoutSecrets(url).slice(0, 200),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    logger.debug(facts, "answered");
  });
  addCompression(app);
  await app.register(swagger, describeApi(access.cookie.name));
  addDeviceRoutes(app, context);
  addHistoryRoutes(app, context);
  addGapRoutes(app, context);
  addTrafficRoutes(app, context);
  addTruthRoutes(app, context);
  addEventRoutes(app, context);
  addUpdateRoutes(app, context);
  addJobRoutes(app, context);
  addBlobRoutes(app, context);
  addSessionRoutes(app, context);
  addHealthRoutes(app, context);
  addPageRoutes(app, files);
  app.get("/api/v1/openapi.json", { schema: { ...needs("read", "flash", "jobs"), hide: true } }, () => app.swagger());
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
