import type { Socket } from "node:net";
import { type DownlinkFrame, encodeStreamFrame, FrameError, StreamDeframer } from "@lockstep/protocol";
import type { ConnectionLimits } from "../access/connection-limits.ts";
import { type DeviceConnection, DeviceServer } from "../access/device-server.ts";
import type { TlsFiles } from "../access/tls-files.ts";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import { ConnectionMeter } from "../reconstructor/connection-meter.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import { type FrameIntake, type FrameSource, frameSource } from "./frame-intake.ts";

export interface TcpListenerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Nothing: plain TCP. */
  readonly tls?: TlsFiles | undefined;
  readonly limits?: ConnectionLimits | undefined;
  readonly intake: FrameIntake;
  readonly registry: TwinRegistry;
  readonly counters: Counters;
  readonly clock: Clock;
  /** Whether who speaks on a connection may go on. */
  maySpeak(source: FrameSource): boolean;
  gone(source: FrameSource): void;
}

/** Answers that a device has not read; beyond these it gets no more, and asks again when it reads. */
const UNREAD_BYTES_MAX = 1 << 16;
/** How long the last answers may take to leave when the listener closes. */
const CLOSE_LIMIT_MS = 2_000;

/** Devices over TCP, plain or with TLS: a length before every frame, a birth first. */
export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #sockets = new Map<Socket, FrameSource>();
  #server: DeviceServer | undefined;
  #isPaused = false;

  private constructor(options: TcpListenerOptions) {
    this.#options = options;
  }

  /** @throws {PortError} `port-taken`, `cannot-listen` */
  static async open(options: TcpListenerOptions): Promise<TcpListener> {
    const listener = new TcpListener(options);
    listener.#server = await DeviceServer.open(options, (connection) => listener.#accept(connection));
    return listener;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Take nothing more in for now; what devices send waits with them. */
  pause(): void {
    this.#isPaused = true;
    for (const socket of this.#sockets.keys()) socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const socket of this.#sockets.keys()) socket.resume();
  }

  /** End the connections of all who may not speak any more. */
  endUnadmitted(): void {
    for (const [socket, source] of this.#sockets) {
      if (this.#options.maySpeak(source)) continue;
      this.#options.counters.add("connections.revoked");
      socket.destroy();
    }
  }

  /** Listen no more, and end all connections once what was sent on them has left. */
  async close(): Promise<void> {
    const closed = this.#server?.close();
    for (const socket of this.#sockets.keys()) socket.destroySoon();
    const limit = this.#options.clock.setTimer(() => this.#server?.cut(), CLOSE_LIMIT_MS);
    await closed;
    limit.cancel();
  }

  #accept({ socket, certificate, watch }: DeviceConnection): void {
    const { intake, registry, counters, maySpeak, gone } = this.#options;
    const meter = new ConnectionMeter();
    const deframer = new StreamDeframer();
    const send = (frame: DownlinkFrame) => {
      if (!socket.writable || socket.writableLength > UNREAD_BYTES_MAX) return;
      const bytes = encodeStreamFrame(intake.encode(frame, source));
      socket.write(bytes);
      meter.down(bytes.length);
    };
    // Who has shown a certificate is who it says, and nobody else.
    const known = { device: certificate, isKnown: certificate !== undefined };
    const source: FrameSource = frameSource({ transport: "tcp", send }, known);
    if (!maySpeak(source)) {
      counters.add("refused.not-admitted");
      socket.destroy();
      return;
    }
    this.#sockets.set(socket, source);
    if (source.device !== undefined) watch.settled();
    socket.on("data", (chunk: Buffer) => {
      meter.up(chunk.length);
      try {
        const frames = deframer.push(chunk);
        watch.progressed(frames.length, deframer.pendingBytes > 0);
        for (const bytes of frames) intake.receive(bytes, source);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        // Where one frame ends and the next begins is lost for good.
        counters.add(`refused.${error.code}`);
        socket.destroy();
      }
      if (source.device !== undefined || source.hasJobs === true) watch.settled();
      const twin = meter.isAttributed || source.device === undefined ? undefined : registry.get(source.device);
      if (twin !== undefined) meter.attribute(twin.traffic);
    });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      gone(source);
    });
    if (this.#isPaused) socket.pause();
  }
}
