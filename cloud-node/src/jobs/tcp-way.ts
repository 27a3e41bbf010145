import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { ChannelDoor, ChannelStream, ChannelWay } from "./channel-way.ts";
import { JobError } from "./job-error.ts";

const CONNECT_MS = 10_000;

/** Connections of TCP's own. @param host  where to listen, an address of this machine */
export function tcpWay(host: string): ChannelWay {
  return { listen: (take) => listen(host, take), connect: reach };
}

async function listen(host: string, take: (stream: ChannelStream) => void): Promise<ChannelDoor> {
  const server = createServer({ noDelay: true }, take);
  try {
    server.listen(0, host);
    await once(server, "listening");
  } catch (cause) {
    const remedy = "give --channel-host an address of this machine";
    throw new JobError("failed", `cannot listen on ${host}: ${String(cause)}`, remedy, { cause });
  }
  const { address, family, port } = server.address() as AddressInfo;
  return {
    address: `tcp://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    close: () => server.close(),
  };
}

async function reach(address: string): Promise<ChannelStream> {
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
