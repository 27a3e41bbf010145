import { decodeFrame, type KeyframeFrame, type ResidualFrame } from "@lockstep/protocol";
import type { OutTopic } from "./transport.ts";

/** What a session has sent and received since it was opened; frames that were sent again count again. */
export interface SessionTraffic {
  readonly messages: number;
  readonly bytes: number;
  /** Data frames (keyframes, residuals) among the messages. */
  readonly dataFrames: number;
  readonly dataFrameBytes: number;
  /** Bytes of codec payload in those, of each frame once, however often it was sent. */
  readonly payloadBytes: number;
  readonly messagesDown: number;
  readonly bytesDown: number;
}

/** Of a session that has said nothing. */
export const NO_TRAFFIC: SessionTraffic = {
  messages: 0,
  bytes: 0,
  dataFrames: 0,
  dataFrameBytes: 0,
  payloadBytes: 0,
  messagesDown: 0,
  bytesDown: 0,
};

/** The traffic of two sessions. */
export function addTraffic(a: SessionTraffic, b: SessionTraffic): SessionTraffic {
  return {
    messages: a.messages + b.messages,
    bytes: a.bytes + b.bytes,
    dataFrames: a.dataFrames + b.dataFrames,
    dataFrameBytes: a.dataFrameBytes + b.dataFrameBytes,
    payloadBytes: a.payloadBytes + b.payloadBytes,
    messagesDown: a.messagesDown + b.messagesDown,
    bytesDown: a.bytesDown + b.bytesDown,
  };
}

/** Frames of an epoch are told apart by the low 12 bits of seq; fewer than half as many are ever in flight. */
const SEQ_MASK = 0xfff;
const IN_FLIGHT = 2048;

/** Counts messages, by what the protocol says is in them. */
export class TrafficMeter {
  /** The newest data frame that was sent: epoch modulo 16, and the low bits of seq. */
  #newest: { readonly epoch: number; readonly seq: number } | undefined;
  #traffic: SessionTraffic = {
    messages: 0,
    bytes: 0,
    dataFrames: 0,
    dataFrameBytes: 0,
    payloadBytes: 0,
    messagesDown: 0,
    bytesDown: 0,
  };

  get traffic(): SessionTraffic {
    return this.#traffic;
  }

  sent(topic: OutTopic, message: Uint8Array): void {
    const before = this.#traffic;
    const frame = topic === "frames" ? decodeFrame(message) : undefined;
    const isData = frame?.kind === "keyframe" || frame?.kind === "residual";
    const isFirst = isData && this.#isFirst(frame);
    this.#traffic = {
      ...before,
      messages: before.messages + 1,
      bytes: before.bytes + message.length,
      dataFrames: before.dataFrames + (isData ? 1 : 0),
      dataFrameBytes: before.dataFrameBytes + (isData ? message.length : 0),
      payloadBytes: before.payloadBytes + (isFirst ? frame.payload.length : 0),
    };
  }

  /** Frames go out in order the first time, so one that is not newer than all before it is sent again. */
  #isFirst(frame: KeyframeFrame | ResidualFrame): boolean {
    const [epoch, seq] =
      frame.kind === "keyframe"
        ? [frame.epoch & 0xf, frame.seq & SEQ_MASK]
        : [frame.position >> 12, frame.position & SEQ_MASK];
    const ahead = this.#newest?.epoch === epoch ? (seq - this.#newest.seq) & SEQ_MASK : 1;
    if (ahead === 0 || ahead > IN_FLIGHT) return false;
    this.#newest = { epoch, seq };
    return true;
  }

  received(message: Uint8Array): void {
    const before = this.#traffic;
    this.#traffic = { ...before, messagesDown: before.messagesDown + 1, bytesDown: before.bytesDown + message.length };
  }
}
