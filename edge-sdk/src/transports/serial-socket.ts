import { connect, type Socket } from "node:net";
import { TransportError } from "../transport.ts";

/** How the path of a line begins that is a socket of this computer, as QEMU and socat give their lines. */
const SOCKET_PREFIX = "unix:";

/** The socket that a line's path names, `unix:PATH`; undefined for the path of a port. */
export function serialSocketPath(path: string): string | undefined {
  return path.startsWith(SOCKET_PREFIX) ? path.slice(SOCKET_PREFIX.length) : undefined;
}

/**
 * Connect to a line that is a Unix socket. It has no rate.
 *
 * @param path  of the socket, without `unix:`
 * @throws {TransportError} `no-port` where nobody listens, `not-a-port`, `port-failed`
 */
export async function openSerialSocket(path: string): Promise<Socket> {
  const socket = connect({ path });
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    socket.once("connect", () => resolve(undefined)).once("error", resolve);
  });
  if (failure === undefined) return socket;
  socket.destroy();
  const facts = { path: SOCKET_PREFIX + path, detail: failure.code ?? failure.message };
  if (failure.code === "ENOENT" || failure.code === "ECONNREFUSED") {
    throw new TransportError("no-port", facts, { cause: failure });
  }
  throw new TransportError(failure.code === "ENOTSOCK" ? "not-a-port" : "port-failed", facts, { cause: failure });
}
