import { encodeSerialFrame, SERIAL_DELIMITER, type SerialDamage, SerialDeframer } from "@lockstep/protocol";
import { BackOff } from "../back-off.ts";
import type { Clock, Timer } from "../clock.ts";
import type { RandomSource } from "../random-source.ts";

/**
 * A serial port as this package uses it: a Node stream in both directions. A `SerialPort` of the package `serialport`, a
 * `SerialPortStream` over a binding of one's own, a socket and one side of an in-memory pair all are one.
 */
export interface SerialPortLike {
  /** Its buffer is full; a `drain` follows. */
  readonly writableNeedDrain: boolean;
  write(bytes: Uint8Array): boolean;
  /** Write no more; `done` once everything was handed over. */
  end(done: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "drain" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close", listener: (reason?: Error | null) => void): unknown;
  destroy(): unknown;
  /** Where there is a wire behind it: wait until the last byte has left on it. */
  drain?(done: () => void): unknown;
  /** Where there is one: drop what has not left yet. */
  flush?(done: () => void): unknown;
  /** Where `destroy` alone does not give the port back. */
  close?(done: () => void): unknown;
}

export interface SerialLineOptions {
  /** Open the port anew; called again and again, with growing pauses, until it succeeds, and after every loss. */
  openPort(): Promise<SerialPortLike>;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** What a line tells. Callbacks never run inside a call of the line itself. */
export interface SerialLineEvents {
  /** The port is open; whether anybody is at the other end nobody knows. */
  opened(): void;
  /** The port is gone: unplugged, or broken. The line is already trying to open it again. */
  closed(reason: string): void;
  /** The port cannot be opened; told again only when the problem is another. */
  failed(problem: string): void;
  /** One whole frame; the bytes are the receiver's to keep. */
  frame(bytes: Uint8Array): void;
  /** Something on the line was left out. */
  damaged(reason: SerialDamage): void;
  /** A frame was refused by `send`, and would be taken now. */
  drained(): void;
}

/** A port is of this computer: to look for it often disturbs nobody, and whoever plugs it in waits for it. */
const LONGEST_RETRY_MS = 1_000;
/** After a pause of this length a frame gets a zero before it too: noise that came meanwhile is then no part of it. */
const PAUSE_MS = 100;
/** How long the last bytes may take to leave when the line is closed. */
const CLOSE_LIMIT_MS = 2_000;

/**
 * One end of a serial line: frames in both directions over a port that may come and go.
 *
 * @see protocol/SPEC.md, section 5.1
 */
export class SerialLine {
  readonly #options: SerialLineOptions;
  readonly #backOff: BackOff;
  readonly #deframer = new SerialDeframer();
  #port: SerialPortLike | undefined;
  #retry: Timer | undefined;
  #problem = "";
  #lastSentMs = 0;
  #wasRefused = false;
  #isPaused = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(options: SerialLineOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.random, LONGEST_RETRY_MS);
  }

  get isOpen(): boolean {
    return this.#port !== undefined;
  }

  /** Start to open the port, and go on until closed. Once. */
  open(events: SerialLineEvents): void {
    void this.#connect(events);
  }

  /**
   * Send one frame.
   *
   * @param frame  1 … 65,535 bytes, copied
   * @returns false when it was not accepted: the port is gone, or its buffer full
   * @throws {FrameError} `out-of-range`, `too-large`
   */
  send(frame: Uint8Array): boolean {
    const port = this.#port;
    if (port === undefined) return false;
    if (port.writableNeedDrain) {
      this.#wasRefused = true;
      return false;
    }
    const nowMs = this.#options.clock.nowMs();
    const isAfterPause = nowMs - this.#lastSentMs >= PAUSE_MS;
    this.#lastSentMs = nowMs;
    if (isAfterPause) port.write(Uint8Array.of(SERIAL_DELIMITER));
    port.write(encodeSerialFrame(frame));
    return true;
  }

  /** Read nothing for now. A port with flow control holds the other end back; any other loses what its buffer cannot take. */
  pause(): void {
    this.#isPaused = true;
    this.#port?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#port?.resume();
  }

  /** Send what was accepted, and give the port back; no event follows. Resolves when it is. */
  close(): Promise<void> {
    this.#closing ??= this.#stop(finish);
    return this.#closing;
  }

  /** Give the port back without sending what was accepted; no event follows. */
  destroy(): Promise<void> {
    this.#closing ??= this.#stop(discard);
    return this.#closing;
  }

  async #connect(events: SerialLineEvents): Promise<void> {
    let port: SerialPortLike;
    try {
      port = await this.#options.openPort();
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (this.#isClosed) return;
      if (problem !== this.#problem) events.failed(problem);
      this.#problem = problem;
      this.#retryLater(events);
      return;
    }
    if (this.#isClosed) {
      await discard(port, this.#options.clock);
      return;
    }
    this.#attach(port, events);
  }

  #attach(port: SerialPortLike, events: SerialLineEvents): void {
    this.#port = port;
    this.#problem = "";
    let reason = "the port closed";
    const isCurrent = () => this.#port === port;
    const lose = () => {
      if (!isCurrent()) return;
      // What came before the port was lost is no part of what comes when it is back.
      this.#read(Uint8Array.of(SERIAL_DELIMITER), events);
      this.#port = undefined;
      this.#wasRefused = false;
      void discard(port, this.#options.clock);
      this.#retryLater(events);
      events.closed(reason);
    };
    port.on("error", (error) => {
      reason = error.message;
      lose();
    });
    port.on("end", lose);
    port.on("close", (error) => {
      if (error instanceof Error) reason = error.message;
      lose();
    });
    port.on("drain", () => {
      if (!isCurrent() || !this.#wasRefused) return;
      this.#wasRefused = false;
      events.drained();
    });
    port.on("data", (chunk) => {
      // A port that delivers is a good one; one that opens and breaks at once is not to be opened in a loop.
      this.#backOff.reset();
      if (isCurrent()) this.#read(chunk, events);
    });
    if (this.#isPaused) port.pause();
    port.write(Uint8Array.of(SERIAL_DELIMITER));
    this.#lastSentMs = this.#options.clock.nowMs();
    events.opened();
  }

  #read(chunk: Uint8Array, events: SerialLineEvents): void {
    const before = { ...this.#deframer.damaged };
    const frames = this.#deframer.push(chunk);
    for (const [reason, count] of Object.entries(this.#deframer.damaged) as [SerialDamage, number][]) {
      for (let n = before[reason]; n < count; n += 1) events.damaged(reason);
    }
    for (const frame of frames) if (!this.#isClosed) events.frame(frame);
  }

  #retryLater(events: SerialLineEvents): void {
    this.#retry = this.#options.clock.setTimer(() => void this.#connect(events), this.#backOff.next());
  }

  async #stop(end: typeof finish): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    const port = this.#port;
    this.#port = undefined;
    if (port !== undefined) await end(port, this.#options.clock);
  }
}

/** Let everything leave that was written, then give the port back. */
async function finish(port: SerialPortLike, clock: Clock): Promise<void> {
  await within(clock, (done) => port.end(() => (port.drain === undefined ? done() : port.drain(done))));
  await discard(port, clock);
}

/** Give the port back with what it has not sent; one that is gone already is fine. */
async function discard(port: SerialPortLike, clock: Clock): Promise<void> {
  port.on("error", () => {});
  // A driver waits for unsent bytes before it lets a port go, with flow control for long.
  if (port.flush !== undefined) await within(clock, (done) => port.flush?.(done));
  await within(clock, (done) => (port.close === undefined ? done() : port.close(done)));
  port.destroy();
}

/** Resolves when `act` says done, or the time is up. */
function within(clock: Clock, act: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const limit = clock.setTimer(resolve, CLOSE_LIMIT_MS);
    act(() => {
      limit.cancel();
      resolve();
    });
  });
}
