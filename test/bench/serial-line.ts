import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { CloudNode, LoopbackEnd } from "@lockstep/cloud-node";
import type { Transport, TransportEvents } from "@lockstep/edge-sdk";
import { encodeSerialFrame, SerialDeframer } from "./serial-framing.ts";

/**
 * The device's end of a serial line. A socket stands for the wire: it carries the bytes that a UART would. As on every
 * link without topics, the presence is not sent.
 */
export function serialTransport(port: number): Transport {
  let socket: Socket | undefined;
  return {
    async open(events: TransportEvents) {
      const line = await openLine(port, (bytes) => events.message(bytes));
      socket = line.on("drain", () => events.drained());
      queueMicrotask(() => events.connected());
    },
    send(topic, bytes) {
      if (socket === undefined || socket.writableNeedDrain) return false;
      if (topic !== "presence") socket.write(encodeSerialFrame(bytes));
      return true;
    },
    useAlias() {},
    close: () => closeLine(socket),
    destroy: () => closeLine(socket),
  };
}

/** Connect to a far end, and tell of every whole frame that comes. */
async function openLine(port: number, message: (bytes: Uint8Array) => void): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  return deliver(socket, message);
}

function deliver(socket: Socket, message: (bytes: Uint8Array) => void): Socket {
  const deframer = new SerialDeframer();
  return socket.on("data", (chunk: Buffer) => deframer.push(chunk).forEach(message));
}

async function closeLine(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.closed) return;
  const closed = once(socket, "close");
  socket.end();
  await closed;
}

/** Where serial lines end: each is attached to a node as a device of its own. */
export class SerialFarEnd {
  readonly #server: Server;

  private constructor(node: CloudNode) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const leave = node.attach(lineEnd(socket));
      socket.on("close", leave);
    });
  }

  static async open(node: CloudNode): Promise<SerialFarEnd> {
    const farEnd = new SerialFarEnd(node);
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

function lineEnd(socket: Socket): LoopbackEnd {
  return {
    listen(handlers) {
      handlers.connected();
      deliver(socket, (bytes) => handlers.message(bytes));
    },
    send: (bytes) => void socket.write(encodeSerialFrame(bytes)),
    drop: () => void socket.end(),
  };
}
