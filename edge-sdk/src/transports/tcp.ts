import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { encodeStreamFrame, StreamDeframer } from "@lockstep/protocol";
import { BackOff } from "../back-off.ts";
import type { Clock, Timer } from "../clock.ts";
import type { RandomSource } from "../random-source.ts";
import { checkMessage, type OutTopic, type Transport, TransportError, type TransportEvents } from "../transport.ts";
import { type TlsCredentials, tlsSettings } from "./link-security.ts";
import { Reachability, type ReachabilityListener } from "./reachability.ts";

/** A far end that went away without a word is noticed by the operating system after this long, while nothing is sent. */
export const DEFAULT_TCP_KEEP_ALIVE_MS = 30_000;
/**
 * While something is, the operating system tries for a quarter of an hour. A cloud says something at least every half
 * minute to who sends frames, so twice that is long enough.
 */
const DEFAULT_TCP_ANSWER_MS = 60_000;
/** A cloud that takes nothing in for a while must not find a connection of every minute of it. */
const LONGEST_ANSWER_MS = 3_600_000;
/** How long a good-bye may take before the socket is dropped. */
const CLOSE_LIMIT_MS = 2_000;

export interface TcpTransportOptions extends ReachabilityListener {
  /** `tcp://HOST:PORT`, or `tls://HOST:PORT` */
  readonly url: string;
  /** For `tls://`. */
  readonly tls?: TlsCredentials | undefined;
  /** The operating system asks whether the far end is there after so much silence; whole seconds, 30,000 unless given. */
  readonly keepAliveMs?: number | undefined;
  /**
   * A connection on which something was sent, and nothing has come since for so long, is given up; 60,000 ms unless
   * given, and twice as long each time, up to an hour, until something comes again.
   */
  readonly answerMs?: number | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/**
 * Messages over one TCP connection, with TLS or without, each after a 16-bit length. The connection itself is the device's presence, so
 * presence messages are not sent.
 *
 * @throws {TransportError} `bad-url`, `half-identity`
 */
export function tcpTransport(options: TcpTransportOptions): Transport {
  return new TcpTransport(options);
}

class TcpTransport implements Transport {
  readonly #host: string;
  readonly #port: number;
  readonly #tls: ReturnType<typeof tlsSettings> | undefined;
  readonly #keepAliveMs: number;
  readonly #firstAnswerMs: number;
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  readonly #reachability: Reachability;
  #events: TransportEvents | undefined;
  #socket: Socket | undefined;
  #isUp = false;
  #wasRefused = false;
  #isClosed = false;
  #retry: Timer | undefined;
  #answerMs: number;
  /** Runs while what was sent has had no answer. */
  #unanswered: Timer | undefined;

  constructor(options: TcpTransportOptions) {
    const { url, tls, keepAliveMs = DEFAULT_TCP_KEEP_ALIVE_MS, answerMs = DEFAULT_TCP_ANSWER_MS } = options;
    const { clock, random } = options;
    const { protocol, hostname, port } = parseUrl(url);
    if (!/^(tcp|tls):$/.test(protocol) || hostname === "" || port === "") throw badUrl(url);
    this.#host = hostname.replace(/^\[(.*)\]$/, "$1");
    this.#port = Number(port);
    this.#tls = protocol === "tls:" ? tlsSettings(tls ?? {}) : undefined;
    this.#keepAliveMs = keepAliveMs;
    this.#firstAnswerMs = answerMs;
    this.#answerMs = answerMs;
    this.#clock = clock;
    this.#backOff = new BackOff(random);
    this.#reachability = new Reachability(url, options);
  }

  async open(events: TransportEvents): Promise<void> {
    if (this.#events !== undefined || this.#isClosed) throw new TransportError("already-open", {});
    this.#events = events;
    this.#connect(events);
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    checkMessage(bytes);
    const socket = this.#socket;
    if (socket === undefined || !this.#isUp) return false;
    if (topic === "presence") return true;
    if (socket.writableNeedDrain) {
      this.#wasRefused = true;
      return false;
    }
    socket.write(encodeStreamFrame(bytes));
    this.#unanswered ??= this.#clock.setTimer(() => this.#giveUp(socket), this.#answerMs);
    return true;
  }

  useAlias(): void {}

  async close(): Promise<void> {
    const socket = this.#stop();
    if (socket === undefined) return;
    const limit = this.#clock.setTimer(() => socket.destroy(), CLOSE_LIMIT_MS);
    await closed(socket, () => (this.#isUp ? socket.end() : socket.destroy()));
    limit.cancel();
  }

  async destroy(): Promise<void> {
    const socket = this.#stop();
    // Only a bare connection can be reset; one with TLS vanishes by an end that nobody announced.
    const isBare = this.#tls === undefined;
    if (socket !== undefined) await closed(socket, () => (isBare ? socket.resetAndDestroy() : socket.destroy()));
  }

  #connect(events: TransportEvents): void {
    const socket = this.#dial();
    socket.setKeepAlive(true, this.#keepAliveMs);
    this.#socket = socket;
    const deframer = new StreamDeframer();
    let reason: Error | string = "closed by the far end";
    socket.on(this.#tls === undefined ? "connect" : "secureConnect", () => {
      if (this.#isClosed) return;
      this.#isUp = true;
      this.#backOff.reset();
      events.connected();
    });
    socket.on("data", (chunk) => {
      if (!this.#isClosed) this.#reachability.heard();
      try {
        for (const message of deframer.push(chunk)) {
          if (this.#isClosed) break;
          this.#answered();
          events.message(message);
        }
      } catch (error) {
        reason = `the byte stream is broken: ${error instanceof Error ? error.message : String(error)}`;
        socket.destroy();
      }
    });
    socket.on("drain", () => {
      if (!this.#wasRefused || this.#isClosed) return;
      this.#wasRefused = false;
      events.drained();
    });
    socket.on("error", (error) => {
      reason = error;
    });
    socket.on("close", () => {
      if (this.#isClosed) return;
      this.#unanswered?.cancel();
      this.#unanswered = undefined;
      this.#socket = undefined;
      this.#wasRefused = false;
      this.#retry = this.#clock.setTimer(() => this.#connect(events), this.#backOff.next());
      this.#reachability.lost(reason);
      if (!this.#isUp) return;
      this.#isUp = false;
      events.disconnected(reason instanceof Error ? reason.message : reason);
    });
  }

  #dial(): Socket {
    const place = { host: this.#host, port: this.#port };
    if (this.#tls === undefined) return connect({ ...place, noDelay: true, keepAlive: true });
    // An address is no name that a server could choose its certificate by.
    const socket = connectTls({ ...place, ...this.#tls, ...(isIP(this.#host) ? {} : { servername: this.#host }) });
    return socket.setNoDelay(true);
  }

  /** Bytes alone are no answer: where one message ends and the next begins may be lost. */
  #answered(): void {
    this.#answerMs = this.#firstAnswerMs;
    this.#unanswered?.cancel();
    this.#unanswered = undefined;
  }

  /** Half-open, most likely: whoever was at the far end knows nothing of this connection any more. */
  #giveUp(socket: Socket): void {
    const silence = new TransportError("no-answer", { afterMs: this.#answerMs });
    this.#answerMs = Math.min(2 * this.#answerMs, Math.max(LONGEST_ANSWER_MS, this.#firstAnswerMs));
    socket.destroy(silence);
  }

  #stop(): Socket | undefined {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#unanswered?.cancel();
    const socket = this.#socket;
    this.#socket = undefined;
    return socket;
  }
}

function parseUrl(url: string): URL {
  if (!URL.canParse(url)) throw badUrl(url);
  return new URL(url);
}

function badUrl(url: string): TransportError {
  return new TransportError("bad-url", { url, expected: "tcp://HOST:PORT or tls://HOST:PORT" });
}

function closed(socket: Socket, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once("close", () => resolve());
    socket.resume();
    end();
  });
}
