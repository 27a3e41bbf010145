import { type HistoryRow, type HistoryVerdict, overEps, STATUS_OK } from "../fleet/history-check.ts";
import type { Signal, SignalReader } from "../signals/signal.ts";
import type { EpochAccount } from "./line-account.ts";

/** What a device that is firmware measured and sent. */
export interface FirmwareTruth {
  readonly id: string;
  /** Starts anew with every boot. */
  readonly signal: Signal;
  /** Bound of every channel, in its unit. */
  readonly eps: number;
  readonly epochs: ReadonlyMap<number, EpochAccount>;
  /** Frames of an epoch that were to arrive in the end, by epoch. */
  readonly target: ReadonlyMap<number, number>;
}

/** The verdict, with what only the line knows. */
export interface FirmwareVerdict extends HistoryVerdict {
  /** Samples of all frames that the device has sent. */
  readonly sent: number;
  /** Samples of those that were confirmed to it. */
  readonly confirmed: number;
  /** Samples that it had sent and that went with its power, not confirmed and not in the store. */
  readonly lostUnsaved: number;
}

/**
 * Compare what is stored of a device with what its firmware computes, sample by sample. The firmware counts its samples
 * from its boot, and their times say which boot a stored one is of.
 *
 * @param rows  of this device, in order of (epoch, index)
 */
export function checkFirmwareHistory(truth: FirmwareTruth, rows: Iterable<HistoryRow>): FirmwareVerdict {
  const epochs = new Map<number, StoredEpoch>();
  for (const row of rows) {
    const { epoch } = row;
    const stored = epochs.get(epoch) ?? new StoredEpoch(truth, truth.epochs.get(epoch));
    epochs.set(epoch, stored);
    stored.add(row);
  }
  const all = [...epochs.values()];
  const sum = (pick: (stored: StoredEpoch) => number) => all.reduce((total, one) => total + pick(one), 0);
  const verdict = { sent: 0, confirmed: 0, lostConfirmed: 0, undelivered: 0, lostUnsaved: 0 };
  for (const [epoch, account] of truth.epochs) {
    const has = (sample: number) => epochs.get(epoch)?.has(sample) ?? false;
    let [sample, next] = [0, 0];
    for (const [seq, samples] of inOrder(account)) {
      // What was dropped before it was ever sent has no frame here: the store goes on where it is again.
      if (seq > next) sample = epochs.get(epoch)?.storedFrom(sample) ?? sample;
      next = seq + 1;
      let absent = 0;
      for (let end = sample + samples; sample < end; sample += 1) absent += has(sample) ? 0 : 1;
      verdict.sent += samples;
      if (account.evicted.has(seq)) continue;
      if (seq < account.confirmed) {
        verdict.confirmed += samples;
        verdict.lostConfirmed += absent;
      } else if (seq < (truth.target.get(epoch) ?? 0)) verdict.undelivered += absent;
      else if (!truth.target.has(epoch)) verdict.lostUnsaved += absent;
    }
  }
  const [squaredError, squaredSignal] = [sum((one) => one.squaredError), sum((one) => one.squaredSignal)];
  return {
    id: truth.id,
    ...verdict,
    samples: sum((one) => one.count),
    missingEvicted: sum((one) => one.holes),
    invented: sum((one) => one.invented),
    maxErrorOverEps: Math.max(0, ...all.map((one) => one.maxErrorOverEps)),
    rmsErrorPooled: squaredSignal === 0 ? 0 : Math.sqrt(squaredError / squaredSignal),
    wrongStatuses: sum((one) => one.wrongStatuses),
    saturated: 0,
  };
}

/** Frames by seq. */
function inOrder({ sent }: EpochAccount): [seq: number, samples: number][] {
  return [...sent].sort(([a], [b]) => a - b);
}

/** A boot in the store: when its first sample was taken, and how far it has been read. */
interface StoredBoot {
  readonly startUs: number;
  readonly reader: SignalReader;
  /** Of the boot's samples. */
  next: number;
}

/** What a store holds of one epoch: one boot, or several where the first ones were never welcomed. */
class StoredEpoch {
  count = 0;
  /** Not stored, before the last one that is. */
  holes = 0;
  invented = 0;
  maxErrorOverEps = 0;
  wrongStatuses = 0;
  squaredError = 0;
  squaredSignal = 0;
  readonly #truth: FirmwareTruth;
  readonly #measured: Float64Array;
  /** Samples of the frames that were seen on the line. */
  readonly #most: number;
  readonly #stored = new Set<number>();
  #boot: StoredBoot | undefined;
  #next = 0;

  constructor(truth: FirmwareTruth, account: EpochAccount | undefined) {
    this.#truth = truth;
    this.#measured = new Float64Array(truth.signal.channels.length);
    this.#most = account === undefined ? 0 : [...account.sent.values()].reduce((sum, samples) => sum + samples, 0);
  }

  has(sample: number): boolean {
    return this.#stored.has(sample);
  }

  /** The first stored sample from this one on; the same where there is none. */
  storedFrom(sample: number): number {
    for (let at = sample; at < this.#next; at += 1) if (this.#stored.has(at)) return at;
    return sample;
  }

  add(row: HistoryRow): void {
    const { index } = row;
    if (index < this.#next || this.count >= this.#most) {
      this.invented += 1;
      return;
    }
    const skipped = index - this.#next;
    if (!this.#isNextOfBoot(row)) this.#boot = this.#startBoot(row, skipped);
    this.holes += skipped;
    this.#next = index + 1;
    this.#stored.add(index);
    this.count += 1;
    this.#compare(row);
  }

  /** Read on to the row's sample, where its time is that of a later one of this boot. */
  #isNextOfBoot({ timeUs }: HistoryRow): boolean {
    const boot = this.#boot;
    if (boot === undefined) return false;
    const { periodNs } = this.#truth.signal;
    const sample = Math.round(((timeUs - boot.startUs) * 1000) / periodNs);
    const isSampled = Math.abs(boot.startUs + (sample * periodNs) / 1000 - timeUs) <= 1;
    if (!isSampled || sample < boot.next) return false;
    for (; boot.next <= sample; boot.next += 1) boot.reader.next(this.#measured);
    return true;
  }

  /** A boot begins with its first sample, or with one of those after it when as many are missing. */
  #startBoot(row: HistoryRow, skipped: number): StoredBoot {
    const { signal } = this.#truth;
    for (let first = 0; first <= skipped; first += 1) {
      const reader = signal.read();
      for (let sample = 0; sample <= first; sample += 1) reader.next(this.#measured);
      if (this.#errorOf(row) > 1 && first < skipped) continue;
      return { startUs: row.timeUs - (first * signal.periodNs) / 1000, reader, next: first + 1 };
    }
    throw new RangeError(`skipped ${skipped}, which is below 0`);
  }

  /** Largest error of a row over eps, beside what is in hand as measured. */
  #errorOf({ values }: HistoryRow): number {
    return Math.max(
      ...Array.from(this.#measured, (measured, c) =>
        overEps(Math.abs((values[c] ?? Number.NaN) - measured), this.#truth.eps),
      ),
    );
  }

  #compare(row: HistoryRow): void {
    this.maxErrorOverEps = Math.max(this.maxErrorOverEps, this.#errorOf(row));
    for (const [c, measured] of this.#measured.entries()) {
      if (row.statuses[c] !== STATUS_OK) this.wrongStatuses += 1;
      const error = (row.values[c] ?? Number.NaN) - measured;
      this.squaredError += error * error;
      this.squaredSignal += measured * measured;
    }
  }
}
