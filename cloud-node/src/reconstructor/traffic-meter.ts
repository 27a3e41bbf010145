import type { Traffic } from "./twin-view.ts";

/** Counts what one device costs on the wire. */
export class TrafficMeter implements Traffic {
  messages = 0;
  payloadBytes = 0;
  frameBytes = 0;
  isSocketCounted = false;
  socketBytesUp = 0;
  socketBytesDown = 0;
  packetsUp = 0;
  packetsDown = 0;

  /** A copy that stands still. */
  reading(): Traffic {
    const { messages, payloadBytes, frameBytes, isSocketCounted } = this;
    const { socketBytesUp, socketBytesDown, packetsUp, packetsDown } = this;
    return {
      messages,
      payloadBytes,
      frameBytes,
      isSocketCounted,
      socketBytesUp,
      socketBytesDown,
      packetsUp,
      packetsDown,
    };
  }
}
