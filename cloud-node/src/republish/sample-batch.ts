import { channelScale } from "@lockstep/protocol";
import type { SampleState, TwinView } from "../reconstructor/twin-view.ts";

/** What a consumer needs to know of a channel. */
export interface ChannelFacts {
  readonly name: string;
  /** "" where the device named none. */
  readonly unit: string;
  /** The promise: |value − original| ≤ eps, in the channel's unit, of every sample that is neither invalid nor saturated. */
  readonly eps: number;
}

/** What a consumer needs to know of one boot of a device. */
export interface DeviceFacts {
  readonly device: string;
  readonly epoch: number;
  readonly channels: readonly ChannelFacts[];
  /** Equal for boots whose channels mean the same. */
  readonly signature: string;
}

/** By whose clock samples are dated: the device's own, or the node's where a device counts from its boot. */
export type SampleClock = "device" | "node";

/** Consecutive samples of one boot, on their way to consumers. */
export interface SampleBatch {
  readonly facts: DeviceFacts;
  readonly state: SampleState;
  /** Unix time, µs, ascending; shape (rows). */
  readonly timesUs: Float64Array;
  readonly clock: SampleClock;
  /** Shape (rows, channels), row-major, in the channels' units; of an invalid sample the one before it. */
  readonly values: Float64Array;
  /** Shape (rows, channels): 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: Uint8Array;
  /** Whether newer samples of the device were told before. */
  readonly isLate: boolean;
  /** Rows confirmed since the batch before, and left out of all of them. */
  readonly skipped: number;
  /** Rows that the device lost for good since the batch before. */
  readonly lost: number;
}

/** What a view says about the boot that it shows. */
export function factsOf({ id, epoch, birth }: TwinView): DeviceFacts {
  const channels = birth.channels.map((channel) => {
    return { name: channel.name, unit: channel.unit, eps: channelScale(channel).eps };
  });
  return { device: id, epoch, channels, signature: JSON.stringify(channels) };
}

/** Channel-samples in a batch. */
export function valuesIn(batch: SampleBatch): number {
  return batch.values.length;
}

/** The same batch in parts of at most so many channel-samples each; at least one row each. */
export function splitBatch(batch: SampleBatch, most: number): SampleBatch[] {
  const channels = batch.facts.channels.length;
  const rows = Math.max(1, Math.floor(most / channels));
  if (batch.timesUs.length <= rows) return [batch];
  const parts: SampleBatch[] = [];
  for (let from = 0; from < batch.timesUs.length; from += rows) {
    const [start, end] = [from * channels, (from + rows) * channels];
    parts.push({
      ...batch,
      timesUs: batch.timesUs.subarray(from, from + rows),
      values: batch.values.subarray(start, end),
      statuses: batch.statuses.subarray(start, end),
      skipped: from === 0 ? batch.skipped : 0,
      lost: from === 0 ? batch.lost : 0,
    });
  }
  return parts;
}
