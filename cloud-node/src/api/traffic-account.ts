import type { Traffic } from "../reconstructor/twin-view.ts";

/** A channel-sample as float32. */
const RAW_BYTES = 4;
/**
 * IPv4 20, TCP 20, and 12 of timestamps, which Linux sends by default. Added by arithmetic, because a socket counts only
 * what is inside; every data packet is taken to be answered by a bare acknowledgement of the same size.
 */
export const HEADER_BYTES_PER_PACKET = 52;

/** What a device's samples cost, and what they would have cost as float32 in the same messages. */
export interface TrafficAccount {
  readonly payloadBytes: number;
  readonly frameBytes: number;
  /** Both directions, with acknowledgements and headers; 0 where no socket was counted. */
  readonly ipBytes: number;
  /** float32 in the same number of messages with the same envelopes: compare with `frameBytes`. */
  readonly rawBytes: number;
  /** Raw over sent at each layer, both with that layer's overhead; NaN before the first byte. */
  readonly ratioPayload: number;
  readonly ratioFrame: number;
  readonly ratioIp: number;
}

/**
 * Account for traffic at each layer.
 *
 * @param samples  rows that the traffic carried
 */
export function accountTraffic(traffic: Traffic, samples: number, channels: number): TrafficAccount {
  const { payloadBytes, frameBytes } = traffic;
  const packets = traffic.packetsUp + traffic.packetsDown;
  const socketBytes = traffic.socketBytesUp + traffic.socketBytesDown;
  const ipBytes = traffic.isSocketCounted ? socketBytes + 2 * HEADER_BYTES_PER_PACKET * packets : 0;
  const rawPayload = RAW_BYTES * samples * channels;
  const ratio = (sent: number): number => (sent > 0 ? (rawPayload + sent - payloadBytes) / sent : Number.NaN);
  return {
    payloadBytes,
    frameBytes,
    ipBytes,
    rawBytes: rawPayload + frameBytes - payloadBytes,
    ratioPayload: ratio(payloadBytes),
    ratioFrame: ratio(frameBytes),
    ratioIp: ratio(ipBytes),
  };
}

/** The sum of several devices' accounts. */
export function sumAccounts(accounts: readonly TrafficAccount[]): {
  readonly ratioIp: number;
  readonly ipBytes: number;
} {
  const ipBytes = accounts.reduce((sum, account) => sum + account.ipBytes, 0);
  const rawIpBytes = accounts.reduce((sum, account) => sum + (account.ratioIp || 0) * account.ipBytes, 0);
  return { ipBytes, ratioIp: ipBytes > 0 ? rawIpBytes / ipBytes : Number.NaN };
}
