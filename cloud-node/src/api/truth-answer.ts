import { intersection } from "../history/time-range.ts";
import type { DeviceTruth } from "./api-node.ts";
import { ErrorBuckets, errorShare, roundedShare } from "./error-buckets.ts";
import type { HistoryAccess } from "./history-access.ts";
import { type HistoryQuestion, rowsOf } from "./history-answer.ts";
import type { HistoryChannel } from "./history-channels.ts";
import { ApiProblem } from "./problem.ts";
import { MAX_JSON_ROWS } from "./schemas/history-schema.ts";
import { orNull } from "./schemas/nullable.ts";
import type { TruthBucketsAnswer, TruthRowsAnswer } from "./schemas/truth-schema.ts";
import { within } from "./time-range.ts";
import { rounderOf } from "./value-digits.ts";

const STATUS_OK = 0;

/** A question about a range, and who knows the truth. */
export interface TruthQuestion extends HistoryQuestion {
  readonly truth: DeviceTruth;
}

/** One channel of one row beside its truth; the rest of a row is null. */
interface Compared {
  readonly channel: number;
  readonly share: number;
  readonly truth: number;
}

/** Errors in the same buckets as those of the history. */
export async function truthBuckets(
  history: HistoryAccess,
  question: TruthQuestion,
  maxBuckets: number,
): Promise<TruthBucketsAnswer> {
  const { view, range, span, channels } = question;
  const part = within(range, span);
  const grid = part === undefined ? undefined : await history.buckets(view.id, part, maxBuckets, [0]);
  const [t0Us, widthUs, count] = [grid?.fromUs ?? range.fromUs, grid?.widthUs ?? null, grid?.count ?? 0];
  const buckets = new ErrorBuckets(count, channels.length);
  for await (const { timeUs, compared } of comparedRows(history, question)) {
    const bucket = Math.floor((timeUs - t0Us) / (widthUs ?? 1));
    for (const { channel, share, truth } of compared) buckets.add(bucket, channel, share, truth);
  }
  return {
    ...headOf(question, buckets),
    ...{ t0Us, widthUs, count },
    channels: channels.map(({ name, unit, eps }, c) => {
      const round = rounderOf(eps);
      const truths = (values: Float64Array | undefined) =>
        Array.from(values ?? [], (value) => (Number.isNaN(value) ? null : round(value)));
      const shares = (values: Float64Array | undefined) => Array.from(values ?? [], roundedShare);
      const columns = buckets.columns[c];
      const { min, max, first, second } = columns ?? {};
      return { name, unit, eps, min: shares(min), max: shares(max), first: truths(first), second: truths(second) };
    }),
  };
}

/** Errors at full rate. @throws {ApiProblem} `range-too-long` */
export async function truthRows(history: HistoryAccess, question: TruthQuestion): Promise<TruthRowsAnswer> {
  const { channels } = question;
  const timesUs: number[] = [];
  const epochs: number[] = [];
  const columns = channels.map(() => ({ errors: [] as (number | null)[], truth: [] as (number | null)[] }));
  const sums = new ErrorBuckets(1, channels.length);
  for await (const { timeUs, epoch, compared } of comparedRows(history, question)) {
    if (timesUs.length === MAX_JSON_ROWS) {
      const detail = `the range has over ${MAX_JSON_ROWS} samples whose truth is known, the most in one answer: take a shorter one, or buckets=N`;
      throw new ApiProblem("range-too-long", detail, { limit: MAX_JSON_ROWS });
    }
    timesUs.push(timeUs);
    epochs.push(epoch);
    for (const { errors, truth } of columns) {
      errors.push(null);
      truth.push(null);
    }
    const row = timesUs.length - 1;
    for (const { channel, share, truth } of compared) {
      const column = columns[channel];
      if (column === undefined) continue;
      [column.errors[row], column.truth[row]] = [share, truth];
      sums.add(0, channel, share, truth);
    }
  }
  return {
    ...headOf(question, sums),
    timesUs,
    epochs,
    channels: channels.map(({ name, unit, eps }, c) => {
      return { name, unit, eps, ...(columns[c] ?? { errors: [], truth: [] }) };
    }),
  };
}

function headOf({ view, range, truth }: TruthQuestion, { compared, beyondEps, maxErrorShare }: ErrorBuckets) {
  const known = truth.known ?? null;
  return { id: view.id, range, known, compared, beyondEps, maxErrorShare: orNull(maxErrorShare) };
}

/** Stored rows of the range whose truth is known. */
async function* comparedRows(
  history: HistoryAccess,
  question: TruthQuestion,
): AsyncGenerator<{ readonly timeUs: number; readonly epoch: number; readonly compared: readonly Compared[] }> {
  const { truth, range, channels } = question;
  if (truth.known === undefined) return;
  const places = channels.map((channel) => truthPlace(truth, channel));
  for await (const block of rowsOf(history, { ...question, range: intersection(range, truth.known) })) {
    const columns = channels.map((channel) => channel.columnIn(block));
    for (const [row, timeUs] of block.timesUs.entries()) {
      const originals = truth.rowAt(timeUs);
      if (originals === undefined) continue;
      const compared: Compared[] = [];
      for (const [c, channel] of channels.entries()) {
        const [column, place] = [columns[c], places[c]];
        if (column === undefined || place === undefined) continue;
        const at = row * block.channels + column;
        const original = originals[place] ?? Number.NaN;
        // A clipped value keeps its bound for what it was clipped to, which nobody knows here.
        if (block.statuses[at] !== STATUS_OK || Number.isNaN(original)) continue;
        compared.push({
          channel: c,
          share: errorShare(block.values[at] ?? Number.NaN, original, channel.eps),
          truth: original,
        });
      }
      yield { timeUs, epoch: block.epoch, compared };
    }
  }
}

function truthPlace({ channels }: DeviceTruth, { name }: HistoryChannel): number | undefined {
  const place = channels.indexOf(name);
  return place < 0 ? undefined : place;
}
