import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "@lockstep/edge-sdk";
import { type LinkFault, PERFECT } from "./link-fault.ts";

export interface StreamProxyOptions {
  /** Where connections are passed on to. */
  readonly host: string;
  readonly port: number;
  /** Every byte takes this long in each direction; 0 unless given. */
  readonly delayMs?: number | undefined;
  /**
   * What a device that is broken in between does to the bytes on their way to the far end, piece by piece as they come;
   * its delay goes before `delayMs`. None unless given.
   */
  readonly up?: LinkFault | undefined;
  /** The same, on the way from it. */
  readonly down?: LinkFault | undefined;
  readonly clock: Clock;
}

/** Both ends of one connection. */
interface Relay {
  readonly ends: readonly Socket[];
  /** Nothing passes any more, and neither end hears of the other's. */
  isFrozen: boolean;
}

/** Bytes under way in one direction before the sender is held back. */
const IN_FLIGHT_BYTES = 1 << 20;

/**
 * A TCP relay between a device and a node or broker, with a hand on the line. A network cannot lose or reorder bytes of a
 * stream without its ends noticing, so its faults are delay, silence, and broken connections; anything else is the fault
 * of what lies in between, and may be given as such.
 */
export class ByteStreamProxy {
  readonly port: number;
  readonly #options: StreamProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<Timer>();
  readonly #relays = new Set<Relay>();
  readonly #startMs: number;
  #isCut = false;
  #isFaulty = true;
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
    this.#startMs = options.clock.nowMs();
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

  /** Let connections be made again, and do nothing more to the bytes. */
  mend(): void {
    this.#isCut = false;
    this.#isFaulty = false;
  }

  /**
   * Pass nothing more on the connections that there are, and tell neither end: what one of them does the other never
   * hears, so that each is left half-open. New connections are not concerned.
   */
  freeze(): void {
    for (const relay of this.#relays) {
      relay.isFrozen = true;
      for (const socket of relay.ends) socket.pause();
    }
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
    const relay: Relay = { ends: [device, far], isFrozen: false };
    this.#relays.add(relay);
    for (const [socket, other] of [
      [device, far],
      [far, device],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {
        if (!relay.isFrozen) other.destroy();
      });
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (other.destroyed) this.#relays.delete(relay);
        else if (!relay.isFrozen) this.#later(() => other.end());
      });
    }
    const { up = PERFECT, down = PERFECT } = this.#options;
    this.#pipe(relay, device, far, up, (bytes) => {
      this.#bytesUp += bytes;
    });
    this.#pipe(relay, far, device, down, (bytes) => {
      this.#bytesDown += bytes;
    });
  }

  #pipe(relay: Relay, from: Socket, to: Socket, fault: LinkFault, count: (bytes: number) => void): void {
    let inFlight = 0;
    from.on("data", (chunk) => {
      const atMs = this.#options.clock.nowMs() - this.#startMs;
      const deliveries = (this.#isFaulty ? fault : PERFECT)({ bytes: chunk, afterMs: 0 }, atMs);
      for (const { bytes, afterMs } of deliveries) {
        inFlight += bytes.length;
        if (inFlight >= IN_FLIGHT_BYTES) from.pause();
        this.#later(() => {
          if (relay.isFrozen) return;
          count(bytes.length);
          to.write(bytes, () => {
            inFlight -= bytes.length;
            if (inFlight < IN_FLIGHT_BYTES && from.isPaused() && !relay.isFrozen) from.resume();
          });
        }, afterMs);
      }
    });
  }

  #later(act: () => void, alsoMs = 0): void {
    const { clock, delayMs = 0 } = this.#options;
    if (delayMs + alsoMs === 0) {
      act();
      return;
    }
    const timer = clock.setTimer(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs + alsoMs);
    this.#timers.add(timer);
  }
}
