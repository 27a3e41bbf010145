import type { SessionTraffic } from "@lockstep/edge-sdk";
import {
  decodeFrame,
  expandSeq,
  type Frame,
  FrameError,
  isSequenced,
  matchEpoch,
  SerialDeframer,
} from "@lockstep/protocol";

/** What a device has shown of one epoch on its line. */
export interface EpochAccount {
  /** Samples that each frame accounts for, by seq. */
  readonly sent: Map<number, number>;
  /** Frames below this were confirmed to it, or are known to be gone. */
  confirmed: number;
  /** Frames that it dropped from a full ring before they were confirmed. */
  readonly evicted: Set<number>;
}

/**
 * What passes on the line of a device that is not of this process: frames that it has sent, and what was confirmed to it.
 * It reads both directions before anything can damage them.
 */
export class LineAccount {
  readonly epochs = new Map<number, EpochAccount>();
  readonly #traffic = {
    messages: 0,
    bytes: 0,
    dataFrames: 0,
    dataFrameBytes: 0,
    payloadBytes: 0,
    messagesDown: 0,
    bytesDown: 0,
  };
  readonly #up = new SerialDeframer();
  readonly #down = new SerialDeframer();
  readonly #waiting = new Set<() => void>();
  /** Samples dropped from a full ring so far, as each boot says, by its nonce. */
  readonly #evicted = new Map<number, number>();
  /** Of the newest birth. */
  #frameSamples = 0;

  get traffic(): SessionTraffic {
    return { ...this.#traffic };
  }

  /** Samples that the device says it has dropped from a full ring. */
  get evicted(): number {
    return [...this.#evicted.values()].reduce((sum, samples) => sum + samples, 0);
  }

  /** Frames that the device has sent, each counted once. */
  get framesSent(): number {
    return [...this.epochs.values()].reduce((sum, { sent }) => sum + sent.size, 0);
  }

  /** Bytes that the device has sent. */
  said(chunk: Uint8Array): void {
    for (const { frame, bytes } of framesOf(this.#up, chunk)) {
      this.#traffic.messages += 1;
      this.#traffic.bytes += bytes;
      this.#hasSaid(frame, bytes);
    }
    this.#tellNews();
  }

  /** Bytes that were sent to it. */
  heard(chunk: Uint8Array): void {
    for (const { frame, bytes } of framesOf(this.#down, chunk)) {
      this.#traffic.messagesDown += 1;
      this.#traffic.bytesDown += bytes;
      if (frame.kind !== "ack" && frame.kind !== "welcome") continue;
      const account = this.#account(frame.epoch);
      account.confirmed = Math.max(account.confirmed, frame.through);
    }
    this.#tellNews();
  }

  /** Resolves once what has passed is enough. */
  until(isEnough: () => boolean): Promise<void> {
    if (isEnough()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!isEnough()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  #hasSaid(frame: Frame, bytes: number): void {
    if (frame.kind === "birth") this.#frameSamples = frame.frameSamples;
    if (frame.kind === "status") {
      this.#evicted.set(frame.nonce, frame.evicted);
      const { confirmed, evicted } = this.#account(frame.epoch);
      // It knows of no more confirmations than have passed here.
      for (let seq = confirmed; seq < frame.oldest; seq += 1) evicted.add(seq);
    }
    if (!isSequenced(frame)) return;
    const isData = frame.kind !== "heartbeat";
    if (isData) {
      this.#traffic.dataFrames += 1;
      this.#traffic.dataFrameBytes += bytes;
    }
    const epoch = frame.kind === "keyframe" ? frame.epoch : matchEpoch(frame.position, this.epochs.keys());
    if (epoch === undefined) return;
    const { sent } = this.#account(epoch);
    const seq = frame.kind === "keyframe" ? frame.seq : expandSeq(frame.position, sent.size);
    if (sent.has(seq)) return;
    const quiet = frame.kind === "keyframe" ? 0 : frame.quiet;
    sent.set(seq, quiet + (isData ? frame.samples || this.#frameSamples : 0));
    this.#traffic.payloadBytes += isData ? frame.payload.length : 0;
  }

  #account(epoch: number): EpochAccount {
    const account: EpochAccount = this.epochs.get(epoch) ?? { sent: new Map(), confirmed: 0, evicted: new Set() };
    this.epochs.set(epoch, account);
    return account;
  }

  #tellNews(): void {
    for (const look of this.#waiting) look();
  }
}

function framesOf(deframer: SerialDeframer, chunk: Uint8Array): { frame: Frame; bytes: number }[] {
  return deframer.push(chunk).flatMap((bytes) => {
    try {
      return [{ frame: decodeFrame(bytes), bytes: bytes.length }];
    } catch (error) {
      // Two frames of which the end of one and the beginning of the other are missing: a boot in between.
      if (error instanceof FrameError) return [];
      throw error;
    }
  });
}
