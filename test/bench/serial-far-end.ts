import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { CloudNode } from "@lockstep/cloud-node";
import {
  type Clock,
  type RandomSource,
  SerialLine,
  type SerialPortLike,
  serialTransport,
  type Transport,
} from "@lockstep/edge-sdk";

/** The device's end of a serial line. A socket stands for the wire: it carries the bytes that a UART would. */
export function socketLineTransport(port: number, clock: Clock, random: RandomSource): Transport {
  return serialTransport({ openPort: () => openSocket(port), clock, random });
}

async function openSocket(port: number): Promise<SerialPortLike> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** Where serial lines end: each is one of the node's own. */
export class SerialFarEnd {
  readonly #server: Server;

  private constructor(node: CloudNode, clock: Clock, random: RandomSource) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const leave = node.attachLine("socket", new SerialLine({ openPort: async () => socket, clock, random }));
      socket.on("close", () => void leave());
    });
  }

  static async open(node: CloudNode, clock: Clock, random: RandomSource): Promise<SerialFarEnd> {
    const farEnd = new SerialFarEnd(node, clock, random);
    farEnd.#server.listen(0, "127.0.0.1");
    await once(farEnd.#server, "listening");
    return farEnd;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}
