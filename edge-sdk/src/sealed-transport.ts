import { decodeFrame, encodeFrame, position, split } from "@lockstep/protocol";
import { LinkSeal, type MacKey } from "./link-seal.ts";
import type { OutTopic, Transport, TransportEvents } from "./transport.ts";

/** Whose link it is, and what messages may be. */
export interface SealedLink {
  readonly key: MacKey;
  readonly device: string;
  /** Of the boot. */
  readonly nonce: number;
  /** Longest message, bytes; longer ones go in fragments. 0: no limit. */
  readonly mtu: number;
}

/** A transport by which one boot of a device says nothing without a MAC, and hears nothing without. @throws {SessionError} `mac-key` */
export function sealTransport(inner: Transport, link: SealedLink): Transport {
  return new SealedTransport(inner, link);
}

interface Piece {
  readonly topic: OutTopic;
  readonly bytes: Uint8Array;
}

const OWN_IDS = 0x1_0000;

class SealedTransport implements Transport {
  readonly #inner: Transport;
  readonly #link: SealedLink;
  readonly #seal: LinkSeal;
  /** Of a frame whose first fragments were taken: they go before anything else. */
  #rest: Piece[] = [];

  constructor(inner: Transport, link: SealedLink) {
    this.#inner = inner;
    this.#link = link;
    this.#seal = new LinkSeal(link.key, link.device, link.nonce);
  }

  open(events: TransportEvents, will: Uint8Array): Promise<void> {
    const restart = () => {
      this.#rest = [];
    };
    return this.#inner.open(
      {
        connected: () => {
          restart();
          events.connected();
        },
        disconnected: (reason) => {
          restart();
          events.disconnected(reason);
        },
        message: (bytes) => {
          const frame = this.#seal.open(bytes);
          if (frame !== undefined) events.message(frame);
        },
        drained: () => {
          if (this.#sendRest()) events.drained();
        },
      },
      this.#seal.seal(will).slice(),
    );
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    if (!this.#sendRest()) return false;
    const sealed = this.#seal.seal(bytes);
    const [first = sealed, ...rest] = this.#cut(sealed, bytes);
    if (!this.#inner.send(topic, first)) return false;
    this.#rest = rest.map((piece) => ({ topic, bytes: piece }));
    this.#sendRest();
    return true;
  }

  useAlias(alias: string): void {
    this.#inner.useAlias(alias);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  destroy(): Promise<void> {
    return this.#inner.destroy();
  }

  /** @returns whether all of it was taken */
  #sendRest(): boolean {
    for (;;) {
      const [piece] = this.#rest;
      if (piece === undefined) return true;
      if (!this.#inner.send(piece.topic, piece.bytes)) return false;
      this.#rest.shift();
    }
  }

  /** Fragments of a frame that is longer than a message may be; none of one that is not. */
  #cut(sealed: Uint8Array, frame: Uint8Array): Uint8Array[] {
    const { mtu } = this.#link;
    if (mtu === 0 || sealed.length <= mtu) return [];
    return split(sealed, mtu, this.#fragmentId(frame)).map(encodeFrame);
  }

  #fragmentId(bytes: Uint8Array): number {
    const frame = decodeFrame(bytes);
    if (frame.kind === "keyframe") return position(frame.epoch, frame.seq);
    if (frame.kind === "residual" || frame.kind === "heartbeat") return frame.position;
    return OWN_IDS + (this.#link.nonce % OWN_IDS);
  }
}
