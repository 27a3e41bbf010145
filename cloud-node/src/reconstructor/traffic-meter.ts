import type { StoredTraffic } from "../store/store.ts";
import type { Traffic } from "./twin-view.ts";

/** Counts what one device costs on the wire, and what it carries. */
export class TrafficMeter implements Traffic {
  messages = 0;
  payloadBytes = 0;
  frameBytes = 0;
  isSocketCounted = false;
  socketBytesUp = 0;
  socketBytesDown = 0;
  packetsUp = 0;
  packetsDown = 0;
  /** Rows that were confirmed, and channel-samples. */
  samples = 0;
  values = 0;
  #taken: StoredTraffic = NO_TRAFFIC;

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

  /** What was counted since it was last taken; undefined for nothing. */
  get untaken(): StoredTraffic | undefined {
    const now = this.#totals();
    const since = addTraffic(now, this.#taken, -1);
    const isNothing = since.messages === 0 && since.packets === 0 && since.samples === 0;
    if (isNothing) return undefined;
    const { payloadBytes, values } = since;
    return this.isSocketCounted ? { ...since, countedPayloadBytes: payloadBytes, countedValues: values } : since;
  }

  /** The same, and from now on it counts as taken. */
  take(): StoredTraffic | undefined {
    const since = this.untaken;
    if (since !== undefined) this.#taken = this.#totals();
    return since;
  }

  #totals(): StoredTraffic {
    const { samples, values, messages, payloadBytes, frameBytes } = this;
    return {
      samples,
      values,
      messages,
      payloadBytes,
      frameBytes,
      socketBytes: this.socketBytesUp + this.socketBytesDown,
      packets: this.packetsUp + this.packetsDown,
      countedPayloadBytes: 0,
      countedValues: 0,
    };
  }
}

/** No traffic at all. */
export const NO_TRAFFIC: StoredTraffic = {
  samples: 0,
  values: 0,
  messages: 0,
  payloadBytes: 0,
  frameBytes: 0,
  socketBytes: 0,
  packets: 0,
  countedPayloadBytes: 0,
  countedValues: 0,
};

/** The sum of two. @param sign  −1: their difference */
export function addTraffic(a: StoredTraffic, b: StoredTraffic, sign: 1 | -1 = 1): StoredTraffic {
  return {
    samples: a.samples + sign * b.samples,
    values: a.values + sign * b.values,
    messages: a.messages + sign * b.messages,
    payloadBytes: a.payloadBytes + sign * b.payloadBytes,
    frameBytes: a.frameBytes + sign * b.frameBytes,
    socketBytes: a.socketBytes + sign * b.socketBytes,
    packets: a.packets + sign * b.packets,
    countedPayloadBytes: a.countedPayloadBytes + sign * b.countedPayloadBytes,
    countedValues: a.countedValues + sign * b.countedValues,
  };
}
