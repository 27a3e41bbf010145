import { createServer, type Server, type Socket } from "node:net";
import { encodeStreamFrame, FrameError, StreamDeframer } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import { ConnectionMeter } from "../reconstructor/connection-meter.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import { listening, portOf } from "../server-port.ts";
import { type FrameIntake, type FrameSource, frameSource } from "./frame-intake.ts";

export interface TcpListenerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string | undefined;
  readonly intake: FrameIntake;
  readonly registry: TwinRegistry;
  readonly counters: Counters;
  readonly clock: Clock;
  gone(source: FrameSource): void;
}

/** A connection that has not been born by then was no device of ours. */
const BIRTH_LIMIT_MS = 15_000;
/** Answers that a device has not read; beyond these it gets no more, and asks again when it reads. */
const UNREAD_BYTES_MAX = 1 << 16;
/** How long the last answers may take to leave when the listener closes. */
const CLOSE_LIMIT_MS = 2_000;
/** A device that vanished without a word is noticed by the operating system after this long. */
const KEEP_ALIVE_MS = 60_000;

/** Devices over plain TCP: a length before every frame, a birth first. */
export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isPaused = false;

  private constructor(options: TcpListenerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) =>
      this.#accept(socket),
    );
  }

  /** @throws {PortError} `port-taken`, `cannot-listen` */
  static async open(options: TcpListenerOptions): Promise<TcpListener> {
    const listener = new TcpListener(options);
    await listening(listener.#server, options.port, options.host);
    return listener;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Take nothing more in for now; what devices send waits with them. */
  pause(): void {
    this.#isPaused = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Listen no more, and end all connections once what was sent on them has left. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    const limit = this.#options.clock.setTimer(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_LIMIT_MS);
    await closed;
    limit.cancel();
  }

  #accept(socket: Socket): void {
    const { intake, registry, counters, gone } = this.#options;
    const meter = new ConnectionMeter();
    const deframer = new StreamDeframer();
    const source: FrameSource = frameSource({
      transport: "tcp",
      send: (frame) => {
        if (!socket.writable || socket.writableLength > UNREAD_BYTES_MAX) return;
        const bytes = encodeStreamFrame(intake.encode(frame, source));
        socket.write(bytes);
        meter.down(bytes.length);
      },
    });
    this.#sockets.add(socket);
    socket.setTimeout(BIRTH_LIMIT_MS, () => {
      if (source.device === undefined) socket.destroy();
    });
    socket.on("data", (chunk: Buffer) => {
      meter.up(chunk.length);
      try {
        for (const bytes of deframer.push(chunk)) intake.receive(bytes, source);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        // Where one frame ends and the next begins is lost for good.
        counters.add(`refused.${error.code}`);
        socket.destroy();
      }
      const twin = meter.isAttributed || source.device === undefined ? undefined : registry.get(source.device);
      if (twin !== undefined) meter.attribute(twin.traffic);
    });
    socket.on("error", () => counters.add("connections.failed"));
    socket.on("close", () => {
      this.#sockets.delete(socket);
      gone(source);
    });
    if (this.#isPaused) socket.pause();
  }
}
