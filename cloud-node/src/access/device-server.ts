import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import { listening, portOf } from "../server-port.ts";
import { ConnectionCensus, type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from "./connection-limits.ts";
import { ConnectionWatch, type WatchedConnection } from "./connection-watch.ts";
import type { TlsFiles } from "./tls-files.ts";

export interface DeviceServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Nothing: plain TCP. */
  readonly tls?: TlsFiles | undefined;
  readonly limits?: ConnectionLimits | undefined;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** A connection of somebody who may be a device. */
export interface DeviceConnection {
  readonly socket: Socket;
  /** The common name of the certificate that was shown, and that an authority of ours signed. */
  readonly certificate: string | undefined;
  readonly watch: WatchedConnection;
}

/** A device that vanished without a word is noticed by the operating system after this long. */
const KEEP_ALIVE_MS = 60_000;

/**
 * A port that devices connect to, over TLS or not. Every connection is counted from its first byte, and ended when it is one
 * too many, takes too long to say who it is, or to end what it began.
 */
export class DeviceServer {
  readonly #options: DeviceServerOptions;
  readonly #accept: (connection: DeviceConnection) => void;
  readonly #server: Server;
  readonly #census: ConnectionCensus;
  readonly #watch: ConnectionWatch;
  readonly #watched = new Map<string, WatchedConnection>();
  readonly #sockets = new Set<Socket>();

  private constructor(options: DeviceServerOptions, accept: (connection: DeviceConnection) => void) {
    const { limits = DEFAULT_CONNECTION_LIMITS, clock, counters, tls } = options;
    this.#options = options;
    this.#accept = accept;
    this.#census = new ConnectionCensus(limits);
    this.#watch = new ConnectionWatch(limits, clock, () => counters.add("connections.too-slow"));
    const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    if (tls === undefined) {
      this.#server = createServer(sockets, (socket) => {
        const watch = this.#enter(socket);
        if (watch !== undefined) accept({ socket, certificate: undefined, watch });
      });
      return;
    }
    const server = createTlsServer({ ...tls.options, ...sockets }, (socket) => this.#secured(socket));
    server.on("connection", (socket) => this.#enter(socket));
    server.on("tlsClientError", (_error, socket) => {
      counters.add("connections.no-handshake");
      socket.destroy();
    });
    this.#server = server;
  }

  /** @throws {PortError} `port-taken`, `cannot-listen` */
  static async open(
    options: DeviceServerOptions,
    accept: (connection: DeviceConnection) => void,
  ): Promise<DeviceServer> {
    const server = new DeviceServer(options, accept);
    await listening(server.#server, options.port, options.host);
    return server;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Take no further connections. @returns resolves once all there are have ended */
  close(): Promise<void> {
    this.#watch.close();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** End what is left of the connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #enter(socket: Socket): WatchedConnection | undefined {
    const { remoteAddress: address = "" } = socket;
    const name = peerOf(socket);
    socket.on("error", () => this.#options.counters.add("connections.failed"));
    if (!this.#census.enter(address)) {
      this.#options.counters.add("connections.too-many");
      socket.destroy();
      return undefined;
    }
    const watch = this.#watch.add(socket);
    this.#sockets.add(socket);
    this.#watched.set(name, watch);
    socket.once("close", () => {
      this.#census.leave(address);
      this.#sockets.delete(socket);
      this.#watched.delete(name);
    });
    return watch;
  }

  #secured(socket: TLSSocket): void {
    const watch = this.#watched.get(peerOf(socket));
    const certificate = certificateOf(socket);
    if (watch === undefined || certificate === "bad") {
      if (certificate === "bad") this.#options.counters.add("connections.bad-certificate");
      socket.destroy();
      return;
    }
    watch.follow(socket);
    this.#accept({ socket, certificate: certificate?.name, watch });
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Who a client is by its certificate; undefined where it showed none. */
function certificateOf(socket: TLSSocket): { readonly name: string } | "bad" | undefined {
  const { subject }: { readonly subject?: object } = socket.getPeerCertificate() ?? {};
  if (subject === undefined) return undefined;
  const { CN: name }: { readonly CN?: unknown } = subject;
  return socket.authorized && typeof name === "string" ? { name } : "bad";
}
