import type { ChannelConfig } from "@lockstep/protocol";
import type { Lookahead } from "./encoder.ts";
import { type LinkExports, STATUS_RING_EMPTY, STATUS_RING_FOREIGN } from "./link-exports.ts";
import { type LinkView, readLinkView } from "./link-view.ts";
import { isLookahead, LOOKAHEADS } from "./lookahead-choice.ts";
import { SessionError } from "./session-error.ts";
import type { OutTopic } from "./transport.ts";

/** What a device says about itself in its birth, and how it wants to be heard. */
export interface LinkDevice {
  readonly device: string;
  readonly firmware: string;
  /** SHA-256 of the module, 32 bytes. */
  readonly model: Uint8Array;
  readonly channels: readonly ChannelConfig[];
  readonly frameSamples: number;
  readonly periodNs: number;
  readonly silenceMs: number;
  /** Longest message of the transport, bytes; 0: no limit. */
  readonly mtu: number;
  readonly ringBytes: number;
  readonly lookahead: Lookahead;
}

export type LinkPhase = "down" | "greeting" | "live";

/** A message to send, and where; `bytes` is a view that holds until the next call. */
export interface OutMessage {
  readonly topic: OutTopic;
  readonly bytes: Uint8Array;
}

/** A part of the ring that has changed since it was last written to disk. */
export interface RingChange {
  /** From the start of the ring, bytes. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Bytes of the ring's header, written after the records that it vouches for. */
const RING_HEADER_BYTES = 96;
/** The core's bound on a payload with room for its envelope; a small ring gets a smaller buffer. */
const OUT_BYTES_MAX = 4096 + 128;
/** A ring holds at least five of the largest records; one more for good measure. */
const RECORDS_PER_RING = 6;
/** More than any frame that the cloud sends to a device: an ack with all its ranges. */
const IN_BYTES = 1024;
/** What a birth takes beside its texts: once, and per channel. */
const BIRTH_BYTES = 64;
const BIRTH_CHANNEL_BYTES = 48;

/** By the number that the core knows them by. */
const PHASES: readonly LinkPhase[] = ["down", "greeting", "live"];
const TOPICS: readonly OutTopic[] = ["birth", "frames", "presence"];

/**
 * The link inside one instance of `device.wasm`: lends it memory, and turns its calls into typed ones. Everything that
 * the protocol decides is decided in there.
 */
export class Link {
  readonly #core: LinkExports;
  readonly #channelCount: number;
  readonly #ringAt: number;
  readonly #ringBytes: number;
  readonly #samplesAt: number;
  readonly #statusesAt: number;
  readonly #inAt: number;
  #acknowledgedFrames = 0;

  /**
   * @throws {SessionError} `link` with the core's status, `ring-too-large`, `unknown-lookahead`, `no-lookahead`,
   *   `lookahead-too-large`
   */
  constructor(core: LinkExports, device: LinkDevice) {
    this.#core = core;
    this.#channelCount = device.channels.length;
    this.#ringBytes = device.ringBytes;
    this.#check("linkBegin", core.linkBegin(device.channels.length, device.frameSamples, device.silenceMs, device.mtu));
    for (const [c, { e, lattice, historyShift }] of device.channels.entries()) {
      this.#check(`codecSetChannel ${c}`, core.codecSetChannel(c, e, lattice, historyShift)); // it decides where memory is free
    }
    let free = core.freeAddress();
    const take = (bytes: number) => {
      const at = (free + 7) & ~7;
      free = at + bytes;
      return at;
    };
    this.#lookAhead(device.lookahead, take);
    this.#samplesAt = take(4 * device.channels.length);
    this.#statusesAt = take(device.channels.length);
    this.#inAt = take(IN_BYTES);
    const putBytes = (bytes: Uint8Array) => {
      const at = take(bytes.length);
      this.#bytes(at, bytes.length).set(bytes);
      return { at, length: bytes.length };
    };
    const putText = (text: string) => putBytes(new TextEncoder().encode(text));
    const [name, firmware, model] = [putText(device.device), putText(device.firmware), putBytes(device.model)];
    const texts = device.channels.map((channel) => [putText(channel.name), putText(channel.unit)] as const);
    const birthRoom =
      BIRTH_BYTES + firmware.length + texts.reduce((sum, [a, b]) => sum + BIRTH_CHANNEL_BYTES + a.length + b.length, 0);
    const birthAt = take(birthRoom);
    const wanted = Math.min(
      OUT_BYTES_MAX,
      Math.max(birthRoom + 128, Math.floor(device.ringBytes / RECORDS_PER_RING) & ~3),
    );
    const outAt = take(wanted);
    this.#ringAt = take(device.ringBytes);
    const most = core.memory.buffer.byteLength - this.#ringAt;
    if (device.ringBytes > most) throw new SessionError("ring-too-large", { bytes: device.ringBytes, limit: most });
    this.#check("linkMemory", core.linkMemory(this.#ringAt, device.ringBytes, outAt, wanted, wanted));
    this.#check(
      "linkDescribe",
      core.linkDescribe(
        birthAt,
        birthRoom,
        name.at,
        name.length,
        BigInt(device.periodNs),
        model.at,
        firmware.at,
        firmware.length,
      ),
    );
    for (const [c, channel] of device.channels.entries()) {
      const [channelName, unit] = texts[c] ?? [model, model];
      this.#check(
        `linkChannel ${c}`,
        core.linkChannel(
          channelName.at,
          channelName.length,
          unit.at,
          unit.length,
          channel.e,
          channel.lattice,
          channel.historyShift,
          BigInt(channel.offset),
          channel.mantissa,
          channel.exponent,
          BigInt(channel.epsMantissa),
          channel.epsExponent,
        ),
      );
    }
  }

  /** Lend memory for a lookahead. @throws {SessionError} `unknown-lookahead`, `no-lookahead`, `lookahead-too-large`, `link` */
  #lookAhead(lookahead: Lookahead, take: (bytes: number) => number): void {
    if (!isLookahead(lookahead)) throw new SessionError("unknown-lookahead", { lookahead: String(lookahead) });
    const effort = LOOKAHEADS.indexOf(lookahead);
    if (effort === 0) return;
    const { linkLookahead, linkLookaheadBytes } = this.#core;
    if (linkLookahead === undefined || linkLookaheadBytes === undefined)
      throw new SessionError("no-lookahead", { lookahead });
    const bytes = linkLookaheadBytes(effort);
    const at = take(bytes);
    const limit = this.#core.memory.buffer.byteLength - at;
    if (bytes > limit) throw new SessionError("lookahead-too-large", { bytes, limit });
    this.#check("linkLookahead", linkLookahead(at, effort));
  }

  /** Where the next sample's values go, shape (channels), int32; and their statuses, u8. Views of the core's memory. */
  sampleViews(): { readonly samples: Int32Array; readonly statuses: Uint8Array } {
    const { buffer } = this.#core.memory;
    return {
      samples: new Int32Array(buffer, this.#samplesAt, this.#channelCount),
      statuses: new Uint8Array(buffer, this.#statusesAt, this.#channelCount),
    };
  }

  /** Start with an empty ring, asking the cloud for an epoch. */
  open(nonce: number, nowMs: number): void {
    this.#check("linkOpen", this.#core.linkOpen(nonce, 0, nowMs));
  }

  /**
   * Start with what an earlier boot left.
   *
   * @param ring  its bytes, shape (ringBytes)
   * @returns frames adopted; `"empty"` when nothing in it is valid, `"foreign"` when it belongs to another configuration
   */
  restore(ring: Uint8Array, nonce: number, nowMs: number): number | "empty" | "foreign" {
    this.#bytes(this.#ringAt, this.#ringBytes).set(ring);
    const adopted = this.#core.linkRestore(nonce, nowMs);
    if (adopted === STATUS_RING_EMPTY) return "empty";
    if (adopted === STATUS_RING_FOREIGN) return "foreign";
    return this.#check("linkRestore", adopted);
  }

  /** Take the sample written to `sampleViews`. @returns whether a frame went into the ring */
  sample(timeUs: number, nowMs: number): boolean {
    const status = this.#core.linkSample(this.#samplesAt, this.#statusesAt, BigInt(timeUs), nowMs);
    return this.#check("linkSample", status) === 1;
  }

  /** Close the frame in hand. @returns whether one went into the ring */
  flush(timeUs: number, nowMs: number): boolean {
    return this.#check("linkFlush", this.#core.linkFlush(BigInt(timeUs), nowMs)) === 1;
  }

  connected(nowMs: number): void {
    this.#core.linkConnected(nowMs);
  }

  disconnected(): void {
    this.#core.linkDisconnected();
  }

  /** Hear a message of the cloud. @returns whether it was one for us */
  receive(message: Uint8Array, nowMs: number): boolean {
    if (message.length > IN_BYTES) return false;
    this.#bytes(this.#inAt, message.length).set(message);
    const before = this.#framesGone;
    const status = this.#core.linkReceive(this.#inAt, message.length, nowMs);
    // A message drops nothing from a full ring.
    this.#acknowledgedFrames += this.#framesGone - before;
    return status >= 0;
  }

  /** The next message to send, if there is one now. */
  poll(timeUs: number, nowMs: number): OutMessage | undefined {
    const length = this.#check("linkPoll", this.#core.linkPoll(BigInt(timeUs), nowMs));
    return length === 0 ? undefined : this.#message(length);
  }

  presence(isOnline: boolean): OutMessage {
    return this.#message(this.#check("linkPresence", this.#core.linkPresence(isOnline ? 1 : 0)));
  }

  /** Milliseconds until `poll` may have something. */
  wakeMs(nowMs: number): number {
    return Math.max(0, this.#core.linkWakeMs(nowMs));
  }

  /** What must be written to disk, in this order, for the ring to survive a restart. Views; call `saved` after writing. */
  unsaved(): RingChange[] {
    const changes: RingChange[] = [];
    const { dirtyFrom: from, dirtyTo: to, headerDirty } = this.#view;
    if (to > from) changes.push({ offset: from, bytes: this.#bytes(this.#ringAt + from, to - from) });
    if (headerDirty !== 0) {
      changes.push({ offset: 0, bytes: this.#bytes(this.#ringAt, RING_HEADER_BYTES) });
    }
    return changes;
  }

  saved(): void {
    this.#core.linkDirtyClear();
  }

  get phase(): LinkPhase {
    return PHASES[this.#view.state] ?? "down";
  }

  /** 0 while the cloud has not granted one. */
  get epoch(): number {
    return this.#view.epoch;
  }

  get nextSeq(): number {
    return this.#view.nextSeq;
  }

  /** Seq of the oldest frame in the ring, of whatever epoch; `nextSeq` when it is empty. */
  get oldestSeq(): number {
    return this.#view.oldestSeq;
  }

  get unconfirmedFrames(): number {
    return this.#view.unconfirmedFrames;
  }

  /** Frames made since boot that the cloud has confirmed; not those that an earlier boot left. */
  get acknowledgedFrames(): number {
    return this.#acknowledgedFrames;
  }

  /** Samples taken that no frame in the ring covers yet. */
  get pendingSamples(): number {
    return this.#view.pendingSamples;
  }

  /** Share of the ring in use, 0 … 1. */
  get ringFill(): number {
    return this.#view.ringUsed / this.#ringBytes;
  }

  /** Samples dropped from a full ring since boot. */
  get evictedSamples(): number {
    return this.#view.evictedSamples;
  }

  /** Reason of the cloud's last refusal, protocol/SPEC.md section 3.9; 0: none. */
  get refusal(): number {
    return this.#view.refusal;
  }

  /** Short topic granted by the cloud, empty when none. */
  get alias(): string {
    return this.#view.alias;
  }

  /** Frames of this boot that have left the ring: confirmed, or dropped from a full one. What an earlier one left goes first. */
  get #framesGone(): number {
    const { nextSeq, unconfirmedFrames } = this.#view;
    return Math.max(0, nextSeq - unconfirmedFrames);
  }

  get #view(): LinkView {
    return readLinkView(this.#core);
  }

  #message(length: number): OutMessage {
    const { topic, message } = this.#view;
    return { topic: TOPICS[topic] ?? "frames", bytes: this.#bytes(message, length) };
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#core.memory.buffer, at, length);
  }

  #check(call: string, status: number): number {
    if (status < 0) throw new SessionError("link", { call, status });
    return status;
  }
}
