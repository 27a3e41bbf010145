import type { IncomingMessage } from "node:http";

/** Whether a request came over TLS to this node itself. */
export function isOverTls(request: IncomingMessage): boolean {
  // One that was broken off has none any more.
  const socket: object | null = request.socket;
  return socket !== null && "encrypted" in socket && socket.encrypted === true;
}
