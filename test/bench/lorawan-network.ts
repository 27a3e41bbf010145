import type { Clock, OutTopic, Transport, TransportEvents } from "@lockstep/edge-sdk";
import { decodeFrame, encodeFrame, type Frame, Reassembler } from "@lockstep/protocol";
import { airtimeMs, EU868_DR5, LORAWAN_OVERHEAD_BYTES, type LoraModulation } from "./lorawan-airtime.ts";

/** What went through a network. */
export interface LoraTally {
  readonly uplinks: number;
  /** Of the application: what LoRaWAN carries. */
  readonly bytes: number;
  readonly fragments: number;
  readonly airtimeMs: number;
  /** What the same messages would take at EU868's fastest data rate with this bandwidth. */
  readonly fastAirtimeMs: number;
  readonly downlinks: number;
  readonly bytesDown: number;
  /** In frames that arrived whole, the quiet ones included. */
  readonly samples: number;
  /** Messages of the first birth. */
  readonly birthUplinks: number;
  readonly births: number;
  /** When the device was welcomed. */
  readonly welcomedAtMs: number;
}

export interface LoraNetworkOptions {
  readonly clock: Clock;
  readonly modulation: LoraModulation;
  /** Share of the time that the device may send; none: a message takes no time, so that only bytes are counted. */
  readonly dutyCycle: number | undefined;
  readonly frameSamples: number;
}

/** From the end of an up-link to the first window in which a class A device listens. @see LoRaWAN Regional Parameters, RECEIVE_DELAY1 */
const RECEIVE_DELAY_MS = 1_000;
const FRAMES_PER_ACK = 6;
/** The longest that a welcome may say: the device asks after it, which costs an up-link. */
const ACK_AGE_MS = 86_400_000;

/**
 * A class A device's radio, and a network with a cloud behind it that loses nothing: it answers births and statuses,
 * and acknowledges every sixth frame, one message after each up-link at most.
 */
export class LoraNetwork {
  readonly transport: Transport;
  readonly #options: LoraNetworkOptions;
  readonly #reassembler = new Reassembler();
  readonly #answers: Uint8Array[] = [];
  #events: TransportEvents | undefined;
  #freeAtMs = 0;
  #nonce = 0;
  #through = 0;
  #unacknowledged = 0;
  #tally = {
    uplinks: 0,
    bytes: 0,
    fragments: 0,
    airtimeMs: 0,
    fastAirtimeMs: 0,
    downlinks: 0,
    bytesDown: 0,
    samples: 0,
    birthUplinks: 0,
    births: 0,
    welcomedAtMs: Number.NaN,
  };

  constructor(options: LoraNetworkOptions) {
    this.#options = options;
    this.transport = {
      open: async (events) => {
        this.#events = events;
        queueMicrotask(() => events.connected());
      },
      send: (topic, bytes) => this.#send(topic, bytes),
      useAlias() {},
      close: async () => {},
      destroy: async () => {},
    };
  }

  get tally(): LoraTally {
    return { ...this.#tally };
  }

  #send(topic: OutTopic, bytes: Uint8Array): boolean {
    if (topic === "presence") return true;
    const { clock, modulation, dutyCycle } = this.#options;
    if (clock.nowMs() < this.#freeAtMs) return false;
    const phyBytes = LORAWAN_OVERHEAD_BYTES + bytes.length;
    const onAirMs = airtimeMs(modulation, phyBytes);
    this.#tally.uplinks += 1;
    this.#tally.bytes += bytes.length;
    this.#tally.airtimeMs += onAirMs;
    this.#tally.fastAirtimeMs += airtimeMs(EU868_DR5, phyBytes);
    const copy = bytes.slice();
    if (dutyCycle === undefined) {
      clock.setTimer(() => this.#arrived(copy, 0), 0);
      return true;
    }
    this.#freeAtMs = clock.nowMs() + onAirMs / dutyCycle;
    clock.setTimer(() => this.#arrived(copy, RECEIVE_DELAY_MS), onAirMs);
    clock.setTimer(() => this.#events?.drained(), onAirMs / dutyCycle);
    return true;
  }

  #arrived(bytes: Uint8Array, delayMs: number): void {
    let frame: Frame | undefined = decodeFrame(bytes);
    if (frame.kind === "fragment") {
      this.#tally.fragments += 1;
      const whole = this.#reassembler.push(frame);
      frame = whole === undefined ? undefined : decodeFrame(whole);
    }
    if (frame !== undefined) this.#take(frame);
    const answer = this.#answers.shift();
    if (answer === undefined) return;
    this.#tally.downlinks += 1;
    this.#tally.bytesDown += answer.length;
    this.#options.clock.setTimer(() => this.#events?.message(answer), delayMs);
  }

  #take(frame: Frame): void {
    const tally = this.#tally;
    switch (frame.kind) {
      case "birth":
        this.#nonce = frame.nonce;
        tally.births += 1;
        if (tally.births > 1) return;
        tally.birthUplinks = tally.uplinks;
        tally.welcomedAtMs = this.#options.clock.nowMs();
        this.#answer(welcome(frame.nonce));
        return;
      case "keyframe":
        this.#through = frame.seq;
        this.#sequenced(frame.samples);
        return;
      case "residual":
        this.#sequenced(frame.samples);
        tally.samples += frame.quiet;
        return;
      case "heartbeat":
        this.#through += 1;
        this.#unacknowledged += 1;
        tally.samples += frame.quiet;
        return;
      case "status":
        this.#through = Math.max(this.#through, frame.oldest);
        this.#acknowledge();
        return;
      default:
    }
  }

  #sequenced(samples: number): void {
    this.#through += 1;
    this.#tally.samples += samples === 0 ? this.#options.frameSamples : samples;
    this.#unacknowledged += 1;
    if (this.#unacknowledged >= FRAMES_PER_ACK) this.#acknowledge();
  }

  #acknowledge(): void {
    this.#unacknowledged = 0;
    this.#answer({ kind: "ack", nonce: this.#nonce, epoch: 1, through: this.#through, missing: [] });
  }

  #answer(frame: Frame): void {
    this.#answers.push(encodeFrame(frame));
  }
}

function welcome(nonce: number): Frame {
  return { kind: "welcome", nonce, epoch: 1, through: 0, alias: "", ackAgeMs: ACK_AGE_MS, timeUs: 0 };
}
