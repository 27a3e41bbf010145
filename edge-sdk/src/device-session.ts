import { toFixed } from "./channel-scale.ts";
import type { Timer } from "./clock.ts";
import { Link, type OutMessage } from "./link.ts";
import { RingFile } from "./ring-file.ts";
import { sealTransport } from "./sealed-transport.ts";
import { SessionError } from "./session-error.ts";
import {
  DEFAULT_RING_BYTES,
  type DeviceSessionOptions,
  type SessionStats,
  type SessionStep,
} from "./session-options.ts";
import { TrafficMeter } from "./session-traffic.ts";
import type { Transport } from "./transport.ts";

interface Waiter {
  readonly isMet: () => boolean;
  readonly settle: (failure?: unknown) => void;
}

/**
 * One device: takes samples, and drives the core's link over a transport. It decides nothing of the protocol: sequence
 * numbers, the ring, frames and time-outs are the core's.
 */
export class DeviceSession {
  readonly #options: DeviceSessionOptions;
  readonly #link: Link;
  readonly #transport: Transport;
  readonly #ringFile: RingFile | undefined;
  readonly #meter = new TrafficMeter();
  readonly #adoptedFrames: number;
  /** Refused by the transport; goes out before anything else of this connection. */
  #pending: OutMessage | undefined;
  #alias = "";
  #wake: Timer | undefined;
  #samples = 0;
  #connections = 0;
  #isClosed = false;
  #failure: unknown;
  #waiters: Waiter[] = [];

  /**
   * Start a device: restore its ring if there is one, and connect. Resolves at once, whether the cloud can be reached
   * or not.
   *
   * @throws {SessionError} `link`, `ring-too-large`, `ring-foreign`, `ring-file`, `unknown-lookahead`, `no-lookahead`,
   *   `lookahead-too-large`, `mac-key`
   * @throws {TransportError} `already-open`
   */
  static async open(options: DeviceSessionOptions): Promise<DeviceSession> {
    const session = DeviceSession.prepare(options);
    await session.connect();
    return session;
  }

  /**
   * Make a device that takes samples and does not connect yet; `connect` does.
   *
   * @throws {SessionError} as `open`
   */
  static prepare(options: DeviceSessionOptions): DeviceSession {
    return new DeviceSession(options);
  }

  private constructor(options: DeviceSessionOptions) {
    const { device, firmware = "", channels, frameSamples, periodNs, silenceMs, module, mtu = 0 } = options;
    const { ringBytes = DEFAULT_RING_BYTES, ringFile, isRingSynced = false, lookahead = "none", macKey } = options;
    const nonce = options.random.uint32();
    this.#options = options;
    // Cut after it is sealed: the link makes whole frames then.
    this.#transport =
      macKey === undefined ? options.transport : sealTransport(options.transport, { key: macKey, device, nonce, mtu });
    this.#link = new Link(module.instantiate(), {
      device,
      firmware,
      model: module.model,
      channels: channels.map(({ config }) => config),
      frameSamples,
      periodNs,
      silenceMs,
      mtu: macKey === undefined ? mtu : 0,
      ringBytes,
      lookahead,
    });
    this.#ringFile = ringFile === undefined ? undefined : new RingFile(ringFile, isRingSynced);
    try {
      this.#adoptedFrames = this.#restore(ringBytes, nonce);
    } catch (error) {
      this.#ringFile?.close();
      throw error;
    }
  }

  /**
   * Take one sample of every channel.
   *
   * @param values  shape (channels), in the channels' units; NaN where there is none
   * @param timeUs  when it was taken, device time; now unless given
   * @throws {SessionError} `wrong-width`, `wrong-time`, `closed`, `link`; and whatever ended the session before
   * @throws {CodecError} `not-a-count`
   */
  push(values: ArrayLike<number>, timeUs: number = this.#options.clock.unixUs()): void {
    this.#checkOpen();
    const { channels } = this.#options;
    if (values.length !== channels.length) {
      throw new SessionError("wrong-width", { values: values.length, channels: channels.length });
    }
    // No cloud takes a frame whose time is out of range: it would stay in the ring, and all others behind it.
    if (!Number.isSafeInteger(timeUs) || timeUs < 0) throw new SessionError("wrong-time", { timeUs });
    const { samples, statuses } = this.#link.sampleViews();
    for (const [c, { config, isCounted }] of channels.entries()) {
      const { sample, status } = toFixed(config, values[c] ?? Number.NaN, isCounted);
      samples[c] = sample;
      statuses[c] = status;
    }
    const isFramed = this.#link.sample(timeUs, this.#nowMs());
    this.#samples += 1;
    this.#stepped("sample");
    if (isFramed) this.#pump();
  }

  /** Close the frame in hand, so that everything pushed so far can be sent and confirmed. */
  flush(): void {
    this.#checkOpen();
    this.#link.flush(this.#options.clock.unixUs(), this.#nowMs());
    this.#stepped("send");
    this.#pump();
  }

  /**
   * Wait until the cloud has confirmed every frame; call `flush` first.
   *
   * @returns false when it had not after `timeoutMs`
   */
  drained(timeoutMs: number): Promise<boolean> {
    return this.settled(0, timeoutMs);
  }

  /**
   * Wait until at most `frames` are unconfirmed.
   *
   * @returns false when they were more after `timeoutMs`, or the session was closed
   */
  async settled(frames: number, timeoutMs: number): Promise<boolean> {
    const isMet = () => this.#link.unconfirmedFrames <= frames;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed || isMet()) return isMet();
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(() => waiter.settle(), timeoutMs);
      const waiter: Waiter = {
        isMet,
        settle: (failure) => {
          timer.cancel();
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          if (failure === undefined) resolve(isMet());
          else reject(failure);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  stats(): SessionStats {
    const link = this.#link;
    return {
      ...this.#meter.traffic,
      phase: link.phase,
      epoch: link.epoch,
      samples: this.#samples,
      nextSeq: link.nextSeq,
      oldestSeq: link.oldestSeq,
      unconfirmedFrames: link.unconfirmedFrames,
      acknowledgedFrames: link.acknowledgedFrames,
      pendingSamples: link.pendingSamples,
      ringFill: link.ringFill,
      evictedSamples: link.evictedSamples,
      adoptedFrames: this.#adoptedFrames,
      connections: this.#connections,
      refusal: link.refusal,
    };
  }

  /** Put the frame in hand into the ring, say good-bye, and stop. What is not confirmed stays in the ring file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#guard(() => {
      this.flush();
      if (this.#link.phase !== "down" && this.#pending === undefined) this.#post(this.#link.presence(false));
    });
    await this.#stop(() => this.#transport.close());
  }

  /** Stop as if power had failed: the frame in hand is lost, nothing more is sent. */
  async destroy(): Promise<void> {
    if (!this.#isClosed) await this.#stop(() => this.#transport.destroy());
  }

  #restore(ringBytes: number, nonce: number): number {
    const stored = this.#ringFile?.read(ringBytes);
    const restored = stored === undefined ? "empty" : this.#link.restore(stored, nonce, this.#nowMs());
    if (restored === "foreign") throw new SessionError("ring-foreign", { file: this.#options.ringFile ?? "" });
    if (restored === "empty") this.#link.open(nonce, this.#nowMs());
    this.#save();
    return restored === "empty" ? 0 : restored;
  }

  /** Begin to connect, once. @throws {TransportError} `already-open` */
  async connect(): Promise<void> {
    const will = this.#link.presence(false).bytes.slice();
    await this.#transport.open(
      {
        connected: () => this.#guard(() => this.#connected()),
        disconnected: () => this.#guard(() => this.#disconnected()),
        message: (bytes) => this.#guard(() => this.#receive(bytes)),
        drained: () => this.#guard(() => this.#pump()),
      },
      will,
    );
  }

  #connected(): void {
    this.#connections += 1;
    this.#pending = undefined;
    this.#alias = "";
    this.#link.connected(this.#nowMs());
    this.#post(this.#link.presence(true));
    this.#stepped("connection");
    this.#pump();
  }

  #disconnected(): void {
    this.#pending = undefined;
    this.#link.disconnected();
    this.#wake?.cancel();
    this.#stepped("connection");
  }

  #receive(message: Uint8Array): void {
    this.#meter.received(message);
    this.#link.receive(message, this.#nowMs());
    const { alias } = this.#link;
    if (alias !== this.#alias) {
      this.#alias = alias;
      this.#transport.useAlias(alias);
    }
    this.#stepped("receive");
    this.#pump();
  }

  /** Send what the core wants sent now, and ask it again when it says so. */
  #pump(): void {
    if (this.#isClosed || this.#link.phase === "down") return;
    const { clock } = this.#options;
    if (this.#pending !== undefined && !this.#post(this.#pending)) return;
    while (this.#pending === undefined) {
      const message = this.#link.poll(clock.unixUs(), this.#nowMs());
      // A frame that the file does not know may not leave: after a restart its number would be taken again.
      this.#save();
      if (message !== undefined) this.#post(message);
      this.#stepped("send");
      if (message === undefined) break;
    }
    this.#wake?.cancel();
    this.#wake = undefined;
    if (this.#pending !== undefined) return;
    const delayMs = Math.max(1, this.#link.wakeMs(this.#nowMs()));
    this.#wake = clock.setTimer(() => this.#guard(() => this.#pump()), delayMs);
  }

  #post(message: OutMessage): boolean {
    if (this.#transport.send(message.topic, message.bytes)) {
      this.#meter.sent(message.topic, message.bytes);
      this.#pending = undefined;
      return true;
    }
    if (this.#pending !== message) this.#pending = { topic: message.topic, bytes: message.bytes.slice() };
    return false;
  }

  #stepped(cause: SessionStep): void {
    this.#save();
    this.#options.onStep?.(cause);
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.settle();
  }

  #save(): void {
    if (this.#ringFile === undefined) return;
    const changes = this.#link.unsaved();
    if (changes.length === 0) return;
    this.#ringFile.write(changes);
    this.#link.saved();
  }

  /** Run what an event of the transport or a timer asks for; a failure ends the session and is told at its next use. */
  #guard(act: () => void): void {
    if (this.#isClosed) return;
    try {
      act();
    } catch (failure) {
      this.#failure = failure;
      void this.#stop(() => this.#transport.destroy());
    }
  }

  async #stop(end: () => Promise<void>): Promise<void> {
    this.#isClosed = true;
    this.#wake?.cancel();
    for (const waiter of this.#waiters) waiter.settle(this.#failure);
    try {
      await end();
    } finally {
      this.#ringFile?.close();
    }
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) throw new SessionError("closed", {});
  }

  /** Monotonic, wraps at 2³² as the core expects. */
  #nowMs(): number {
    return Math.floor(this.#options.clock.nowMs()) >>> 0;
  }
}
