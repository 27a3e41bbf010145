import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { ConnectionCensus } from "../access/connection-limits.ts";
import type { TlsFiles } from "../access/tls-files.ts";
import type { Counters } from "../counters.ts";
import type { HttpLimits } from "./http-limits.ts";
import { limitRequestTimes } from "./request-times.ts";

/** What a server is made with. */
export interface ListenerOptions {
  readonly limits: HttpLimits;
  /** undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  /** Whether whoever connects must show a certificate that the authorities in `tls` signed. */
  readonly needsCertificate: boolean;
  /** Counts connections that were refused. */
  readonly refused: Counters;
}

/** A server that gives each client a time and a share: who is slow, or comes too often, is cut. */
export function createListener(listener: RequestListener, options: ListenerOptions): Server {
  const { limits, tls, refused } = options;
  const times = {
    headersTimeout: limits.headMs,
    requestTimeout: 0,
    connectionsCheckingInterval: limits.lookMs,
    keepAliveTimeout: limits.idleMs,
  };
  const server = tls === undefined ? createServer(times, listener) : overTls(listener, tls, times, options);
  limitRequestTimes(server, limits.requestMs);
  server.maxConnections = limits.connections;
  server.setTimeout(limits.stallMs);
  server.on("drop", () => refused.add("too-many-connections"));
  const { connections: total, connectionsPerAddress: perAddress } = limits;
  const census = new ConnectionCensus({ total, perAddress, perLoopbackAddress: perAddress });
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    if (!census.enter(address)) {
      refused.add("too-many-connections");
      socket.destroy();
      return;
    }
    socket.once("close", () => census.leave(address));
  });
  return server;
}

function overTls(
  listener: RequestListener,
  { options: files }: TlsFiles,
  times: object,
  { needsCertificate, limits: { handshakeMs } }: ListenerOptions,
): Server {
  // A browser that is asked for a certificate asks its user: only where one is needed.
  const certificates = { requestCert: needsCertificate, rejectUnauthorized: needsCertificate };
  const options = { ...files, ...certificates, ...times, handshakeTimeout: handshakeMs };
  // The two have one interface where it matters here; only their types do not say so.
  return createTlsServer(options, listener) as unknown as Server;
}
