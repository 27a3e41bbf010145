import { once } from "node:events";
import { type ExchangeFrame, encodeStreamFrame, STREAM_PREFIX_BYTES, StreamDeframer } from "@lockstep/protocol";
import type { Clock, Timer } from "../clock.ts";
import { type LinkKeys, MAX_HANDSHAKE_BYTES } from "./channel-handshake.ts";
import type { ChannelStream } from "./channel-reach.ts";
import { openExchange, sealExchange } from "./exchange-codec.ts";
import { JobError } from "./job-error.ts";

/** Between two signs of life, and without any until the other side counts as gone. */
const ALIVE_MS = 2_000;
const SILENCE_MS = 15_000;
/** As {@link SILENCE_MS}, until both sides have proved themselves. */
const HANDSHAKE_MS = 5_000;

/** The place that the channel itself speaks from. */
export const CHANNEL_PLACE = 0xffff;
/** What it says, first byte of its payload. */
const ALIVE = 0;
export const ALL_THERE = 1;
/** With the place, u16. */
export const LEFT = 2;
export const JOINED = 3;

/** A frame as it came, and what it took on the connection. */
export interface HeardFrame extends ExchangeFrame {
  readonly wireBytes: number;
}

/** Two workers of a shared job on one connection: frames with codes, in order, and signs of life. */
export class ChannelLink {
  readonly #stream: ChannelStream;
  readonly #clock: Clock;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #deframer = new StreamDeframer();
  readonly #waiting: Uint8Array[] = [];
  readonly #seqs = new Map<string, number>();
  readonly #heard = new Map<string, number>();
  readonly #closed = new AbortController();
  #keys: LinkKeys | undefined;
  #job = "";
  #limitMs = HANDSHAKE_MS;
  /** Since when nothing has come, though we look; undefined: we do not. */
  #silentMs: number | undefined;
  /** What broke the connection. */
  #problem: Error | undefined;
  /** Until there is room for more. */
  #room: Promise<unknown> | undefined;
  #watch: Timer;

  constructor(stream: ChannelStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    // What breaks it is told where it is read and written.
    stream.on("error", (error) => {
      this.#problem ??= error;
    });
    stream.once("close", () => this.#closed.abort());
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#watch = clock.setTimer(() => this.#look(), ALIVE_MS);
  }

  /** Go over from the handshake to frames. @param job  the job's id */
  begin(job: string, keys: LinkKeys): void {
    this.#job = job.slice(0, 16);
    this.#keys = keys;
    this.#limitMs = SILENCE_MS;
  }

  /** A part of the handshake; undefined: the other side has closed. */
  async nextPart(): Promise<Uint8Array | undefined> {
    const part = await this.#next(MAX_HANDSHAKE_BYTES);
    if (part === undefined || part.length <= MAX_HANDSHAKE_BYTES) return part;
    throw broken("says more than it may before it has proved itself");
  }

  /** Bytes of the handshake. */
  sendPart(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Frames as they come, in order between each two places, until the other side closes. @throws {JobError} `peer-left` */
  async *frames(): AsyncGenerator<HeardFrame> {
    for (;;) {
      const bytes = await this.#next(Number.POSITIVE_INFINITY);
      if (bytes === undefined) return;
      const frame = this.#opened(bytes);
      const wireBytes = STREAM_PREFIX_BYTES + bytes.length + this.#overheadBytes;
      if (frame.from !== CHANNEL_PLACE || frame.payload[0] !== ALIVE) yield { ...frame, wireBytes };
    }
  }

  /**
   * Send a piece of a message; resolves when there is room for the next.
   *
   * @returns bytes on the connection
   * @throws {JobError} `peer-left`
   */
  async send(piece: Pick<ExchangeFrame, "from" | "to" | "isLast" | "payload">): Promise<number> {
    if (this.#keys === undefined || this.#stream.destroyed || this.#stream.writableEnded) throw this.#closedNow();
    const route = `${piece.from} ${piece.to}`;
    const seq = this.#seqs.get(route) ?? 0;
    this.#seqs.set(route, (seq + 1) >>> 0);
    const bytes = encodeStreamFrame(sealExchange({ ...piece, job: this.#job, seq }, this.#keys.send));
    const wireBytes = bytes.length + this.#overheadBytes;
    if (this.#stream.write(bytes)) return wireBytes;
    this.#room ??= once(this.#stream, "drain", { signal: this.#closed.signal })
      .catch(() => undefined)
      .finally(() => {
        this.#room = undefined;
      });
    await this.#room;
    if (this.#stream.destroyed) throw this.#closedNow();
    return wireBytes;
  }

  /** Say something as the channel. */
  async announce(to: number, ...payload: number[]): Promise<void> {
    await this.send({ from: CHANNEL_PLACE, to, isLast: true, payload: Uint8Array.from(payload) });
  }

  /** Send what was begun, and no more: as long as the other side takes of it. */
  close(): void {
    this.#watch.cancel();
    this.#stream.end();
    this.#watchEnd(this.#stream.writableLength, this.#clock.nowMs());
    this.#stream.once("close", () => this.#watch.cancel());
  }

  /** Close at once. */
  destroy(): void {
    this.#watch.cancel();
    this.#stream.destroy();
  }

  #watchEnd(waitingBytes: number, sinceMs: number): void {
    this.#watch = this.#clock.setTimer(() => {
      const { writableFinished, writableLength } = this.#stream;
      const nowMs = this.#clock.nowMs();
      const movedMs = writableLength < waitingBytes ? nowMs : sinceMs;
      if (writableFinished || nowMs - movedMs >= SILENCE_MS) this.#stream.destroy();
      else this.#watchEnd(writableLength, movedMs);
    }, ALIVE_MS);
  }

  #closedNow(): JobError {
    return this.#problem === undefined ? broken("is closed") : broken("is broken", this.#problem);
  }

  get #overheadBytes(): number {
    return this.#stream.overheadBytes ?? 0;
  }

  #opened(bytes: Uint8Array): ExchangeFrame {
    if (this.#keys === undefined) throw broken("has not proved itself");
    const frame = openExchange(bytes, this.#keys.receive);
    const route = `${frame.from} ${frame.to}`;
    const seq = this.#heard.get(route) ?? 0;
    if (frame.job !== this.#job || frame.seq !== seq) throw broken(`sent frame ${frame.seq} of ${route}, not ${seq}`);
    this.#heard.set(route, (seq + 1) >>> 0);
    return frame;
  }

  async #next(limit: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) return frame;
      this.#silentMs = this.#clock.nowMs();
      const step = await this.#chunks.next().catch(() => ({ done: true, value: undefined }) as const);
      this.#silentMs = undefined;
      if (step.done === true && this.#problem !== undefined) throw this.#closedNow();
      if (step.done === true) return undefined;
      this.#waiting.push(...this.#deframer.push(step.value));
      if (this.#deframer.pendingBytes > limit + 2) throw broken("says more than it may before it has proved itself");
    }
  }

  #look(): void {
    const silentMs = this.#silentMs === undefined ? 0 : this.#clock.nowMs() - this.#silentMs;
    if (silentMs >= this.#limitMs) {
      this.#problem ??= broken(`said nothing for ${this.#limitMs / 1000} s`);
      this.destroy();
      return;
    }
    // What waits to be sent is a sign of life itself.
    if (this.#keys !== undefined && !this.#stream.writableNeedDrain)
      this.announce(CHANNEL_PLACE, ALIVE).catch(() => undefined);
    this.#watch = this.#clock.setTimer(() => this.#look(), ALIVE_MS);
  }
}

function broken(how: string, cause?: Error): JobError {
  const why = cause === undefined ? "" : ` (${cause.message})`;
  const problem = `the other side of a shared job's connection ${how}${why}`;
  return new JobError("peer-left", problem, "nothing: the job is tried again", { cause });
}
