import { SampleRanges } from "./sample-ranges.ts";
import type { SimulatedDevice } from "./simulated-device.ts";

/** One sample as the cloud has stored it. */
export interface HistoryRow {
  readonly epoch: number;
  /** Samples of the epoch before this one, those declared lost included. */
  readonly index: number;
  /** Device time, µs. */
  readonly timeUs: number;
  /** Shape (channels), in the channels' units. */
  readonly values: ArrayLike<number>;
  /** Shape (channels): 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: ArrayLike<number>;
}

/** What a store holds of one device, beside what the device measured. */
export interface HistoryVerdict {
  readonly id: string;
  /** Different samples found. */
  readonly samples: number;
  /** Confirmed to the device, and not in the store. Must be 0. */
  readonly lostConfirmed: number;
  /** In the ring at the end, not confirmed and not in the store. */
  readonly undelivered: number;
  /** Dropped by the device from a full ring, and not in the store; the node must declare as many. */
  readonly missingEvicted: number;
  /** Stored more than once, or at a time when the device took no sample. Must be 0. */
  readonly invented: number;
  /** Largest |stored − measured| / eps over all values that are not flagged. Must be ≤ 1. */
  readonly maxErrorOverEps: number;
  /** Root of the mean squared error over that of the signal, over all channels together. */
  readonly rmsErrorPooled: number;
  /** Values flagged as missing where one was measured, or not flagged where none was. Must be 0. */
  readonly wrongStatuses: number;
  readonly saturated: number;
}

/** The status of a channel that was measured, and is within its bound. */
export const STATUS_OK = 0;
const STATUS_INVALID = 1;

/**
 * Compare what is stored of a device with what it measured, sample by sample.
 *
 * @param rows  of this device, in order of (epoch, index)
 */
export function checkHistory(device: SimulatedDevice, rows: Iterable<HistoryRow>): HistoryVerdict {
  const { signal, eps } = device;
  const truth = new Float64Array(signal.channels.length);
  const seen = new SampleRanges();
  let reader = signal.read();
  let at = 0;
  let [invented, maxErrorOverEps, wrongStatuses, saturated] = [0, 0, 0, 0];
  let [squaredError, squaredSignal] = [0, 0];
  for (const { timeUs, values, statuses } of rows) {
    const sample = Math.round(((timeUs - device.startUs) * 1000) / signal.periodNs);
    const isTaken = sample >= 0 && sample < device.next && Math.abs(device.timeUs(sample) - timeUs) <= 1;
    if (!isTaken || seen.has(sample)) {
      invented += 1;
      continue;
    }
    seen.add(sample, sample + 1);
    if (sample < at) [reader, at] = [signal.read(), 0];
    for (; at <= sample; at += 1) reader.next(truth);
    for (const [c, measured] of truth.entries()) {
      const status = statuses[c];
      if ((status === STATUS_INVALID) !== Number.isNaN(measured)) wrongStatuses += 1;
      if (status === STATUS_OK && !Number.isNaN(measured)) {
        const error = Math.abs((values[c] ?? Number.NaN) - measured);
        maxErrorOverEps = Math.max(maxErrorOverEps, overEps(error, eps[c] ?? 0));
        squaredError += error * error;
        squaredSignal += measured * measured;
      } else if (status !== STATUS_INVALID) {
        saturated += 1;
      }
    }
  }
  return {
    id: device.id,
    samples: seen.count,
    lostConfirmed: missing(device.ledger.confirmed, seen),
    undelivered: missing(device.ledger.held(), seen),
    missingEvicted: missing(device.ledger.evicted, seen),
    invented,
    maxErrorOverEps,
    rmsErrorPooled: squaredSignal === 0 ? 0 : Math.sqrt(squaredError / squaredSignal),
    wrongStatuses,
    saturated,
  };
}

/** An error in units of its bound; not a number counts as infinitely wrong. */
export function overEps(error: number, eps: number): number {
  if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
  return eps === 0 ? (error === 0 ? 0 : Number.POSITIVE_INFINITY) : error / eps;
}

function missing(expected: SampleRanges, seen: SampleRanges): number {
  let count = 0;
  for (const { from, to } of expected) {
    for (let sample = from; sample < to; sample += 1) count += seen.has(sample) ? 0 : 1;
  }
  return count;
}
