import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { Clock } from "../clock.ts";
import { EventStream } from "./event-stream.ts";
import { fleetSnapshot } from "./fleet-snapshot.ts";
import type { PageNode, TruthOf } from "./page-source.ts";
import { PageStream } from "./page-stream.ts";
import { SampleTally } from "./sample-tally.ts";
import { StaticFiles } from "./static-files.ts";

/** What a page server needs. */
export interface PageServerOptions {
  readonly node: PageNode;
  readonly clock: Clock;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** How many further ports to try when that one is taken. */
  readonly morePorts?: number;
  readonly truthOf?: TruthOf;
}

/** Where Vite puts the built page, seen from `dist/api` and from `src/api` alike. */
const PAGE_FOLDER = fileURLToPath(new URL("../../dashboard/dist", import.meta.url));

/** Serves the page, its data and its live stream over HTTP; read only. */
export class PageServer {
  readonly url: string;
  readonly port: number;
  /** Samples confirmed since this server started. */
  readonly tally: SampleTally;
  readonly #server: Server;
  readonly #streams: Set<PageStream>;
  readonly #unsubscribe: () => void;

  private constructor(
    server: Server,
    host: string,
    tally: SampleTally,
    streams: Set<PageStream>,
    unsubscribe: () => void,
  ) {
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.url = `http://${host === "127.0.0.1" ? "localhost" : host}:${this.port}`;
    this.tally = tally;
    this.#server = server;
    this.#streams = streams;
    this.#unsubscribe = unsubscribe;
  }

  /**
   * Start to listen.
   *
   * @throws the system's error when no port could be had (`EADDRINUSE`, `EACCES`)
   */
  static async open(options: PageServerOptions): Promise<PageServer> {
    const { node, clock, truthOf = () => undefined } = options;
    const tally = new SampleTally();
    const streams = new Set<PageStream>();
    const files = new StaticFiles(PAGE_FOLDER);
    const source = { node, tally, truthOf, clock };
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.writeHead(405, { allow: "GET, HEAD" }).end();
      } else if (url.pathname === "/api/fleet") {
        sendJson(response, fleetSnapshot(node, tally, truthOf, clock.unixUs()));
      } else if (url.pathname === "/api/stream") {
        const stream = new PageStream(source, new EventStream(response), url.searchParams.get("device") ?? undefined);
        streams.add(stream);
        onClose(request, () => {
          stream.close();
          streams.delete(stream);
        });
      } else {
        files.serve(url.pathname, response);
      }
    });
    await listen(server, options);
    const unsubscribe = node.onEvent((event) => tally.observe(event));
    return new PageServer(server, options.host, tally, streams, unsubscribe);
  }

  /** End every stream, and stop listening. */
  async close(): Promise<void> {
    this.#unsubscribe();
    for (const stream of this.#streams) stream.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

function onClose(request: IncomingMessage, action: () => void): void {
  request.on("close", action);
}

async function listen(server: Server, { host, port, morePorts = 0 }: PageServerOptions): Promise<void> {
  for (let tried = 0; ; tried++) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port === 0 ? 0 : port + tried, host, () => {
          server.off("error", reject);
          resolve();
        });
      });
      return;
    } catch (error) {
      const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!isTaken || tried >= morePorts) throw error;
    }
  }
}
