import { decodeFrame } from "@lockstep/protocol";
import type { OutTopic } from "./transport.ts";

/** What a session has sent and received since it was opened; frames that were sent again count again. */
export interface SessionTraffic {
  readonly messages: number;
  readonly bytes: number;
  /** Data frames (keyframes, residuals) among the messages. */
  readonly dataFrames: number;
  readonly dataFrameBytes: number;
  /** Bytes of codec payload in those. */
  readonly payloadBytes: number;
  readonly messagesDown: number;
  readonly bytesDown: number;
}

/** Counts messages, by what the protocol says is in them. */
export class TrafficMeter {
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
    this.#traffic = {
      ...before,
      messages: before.messages + 1,
      bytes: before.bytes + message.length,
      dataFrames: before.dataFrames + (isData ? 1 : 0),
      dataFrameBytes: before.dataFrameBytes + (isData ? message.length : 0),
      payloadBytes: before.payloadBytes + (isData ? frame.payload.length : 0),
    };
  }

  received(message: Uint8Array): void {
    const before = this.#traffic;
    this.#traffic = { ...before, messagesDown: before.messagesDown + 1, bytesDown: before.bytesDown + message.length };
  }
}
