import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "@lockstep/edge-sdk";

export interface StreamProxyOptions {
  /** Where connections are passed on to. */
  readonly host: string;
  readonly port: number;
  /** Every byte takes this long in each direction; 0 unless given. */
  readonly delayMs?: number | undefined;
  readonly clock: Clock;
}

/** Bytes under way in one direction before the sender is held back. */
const IN_FLIGHT_BYTES = 1 << 20;

/**
 * A TCP relay between a device and a node or broker, with a hand on the line. A byte stream cannot lose or reorder
 * anything without its ends noticing, so its faults are delay, silence, and broken connections.
 */
export class ByteStreamProxy {
  readonly port: number;
  readonly #options: StreamProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<Timer>();
  #isCut = false;
  #bytesUp = 0;
  #bytesDown = 0;

  /** Listen on a free port of this computer. */
  static async open(options: StreamProxyOptions): Promise<ByteStreamProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return new ByteStreamProxy(options, server, typeof address === "object" && address !== null ? address.port : 0);
  }

  private constructor(options: StreamProxyOptions, server: Server, port: number) {
    this.#options = options;
    this.#server = server;
    this.port = port;
    server.on("connection", (device) => this.#join(device));
  }

  /** Payload bytes of TCP that were passed on. */
  get traffic(): { readonly bytesUp: number; readonly bytesDown: number } {
    return { bytesUp: this.#bytesUp, bytesDown: this.#bytesDown };
  }

  /** Break every connection and refuse new ones, until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(device: Socket): void {
    if (this.#isCut) {
      device.on("error", () => {});
      device.resetAndDestroy();
      return;
    }
    const { host, port } = this.#options;
    const far = connect({ host, port, noDelay: true });
    for (const [socket, other] of [
      [device, far],
      [far, device],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (!other.destroyed) this.#later(() => other.end());
      });
    }
    this.#pipe(device, far, (bytes) => {
      this.#bytesUp += bytes;
    });
    this.#pipe(far, device, (bytes) => {
      this.#bytesDown += bytes;
    });
  }

  #pipe(from: Socket, to: Socket, count: (bytes: number) => void): void {
    let inFlight = 0;
    from.on("data", (chunk) => {
      inFlight += chunk.length;
      if (inFlight >= IN_FLIGHT_BYTES) from.pause();
      this.#later(() => {
        count(chunk.length);
        to.write(chunk, () => {
          inFlight -= chunk.length;
          if (inFlight < IN_FLIGHT_BYTES && from.isPaused()) from.resume();
        });
      });
    });
  }

  #later(act: () => void): void {
    const { clock, delayMs = 0 } = this.#options;
    if (delayMs === 0) {
      act();
      return;
    }
    const timer = clock.setTimer(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }
}
