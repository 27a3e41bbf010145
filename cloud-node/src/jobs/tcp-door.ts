import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Logger } from "../logger.ts";
import type { ChannelDoor, ChannelStream } from "./channel-reach.ts";
import { JobError } from "./job-error.ts";

/** A network far away answers within a second or two. */
const CONNECT_MS = 10_000;

/** Take connections of TCP's own on a free port. @throws {JobError} `failed` when the host is none of this machine's */
export async function listenByTcp(
  host: string,
  logger: Logger,
  take: (stream: ChannelStream) => void,
): Promise<ChannelDoor> {
  const server = createServer({ noDelay: true }, take);
  try {
    server.listen(0, host);
    await once(server, "listening");
  } catch (cause) {
    const remedy = "give --channel-host an address of this machine";
    throw new JobError("failed", `cannot listen on ${host}: ${String(cause)}`, remedy, { cause });
  }
  // Too many open files, say: whoever wanted to come tries again.
  server.on("error", (error) => logger.warn({ error: String(error) }, "a connection of a shared job was not taken"));
  const { address, family, port } = server.address() as AddressInfo;
  return {
    address: `tcp://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    close: () => server.close(),
  };
}

/** Connect by TCP. @param address  tcp://HOST:PORT. @throws {JobError} `peer-left` when nobody answers */
export async function connectByTcp(address: string): Promise<ChannelStream> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port), noDelay: true });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(CONNECT_MS) });
    return socket;
  } catch (cause) {
    // What it says later is heard by nobody, and must not end the process.
    socket.on("error", () => undefined).destroy();
    const problem = `place 0 of the shared job does not answer at ${address} (${String(cause)})`;
    throw new JobError("peer-left", problem, "give its worker a --channel-host that others reach", { cause });
  }
}
