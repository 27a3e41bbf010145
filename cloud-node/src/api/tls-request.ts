import type { IncomingMessage } from "node:http";

/** Whether a request came over TLS to this node itself. */
export function isOverTls({ socket }: IncomingMessage): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}
