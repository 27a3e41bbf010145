import type { Buckets } from "../history/buckets.ts";
import type { RowBlock } from "../history/row-blocks.ts";
import type { Run } from "../history/run.ts";
import type { TimeRange } from "../history/time-range.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import type { Retention } from "../store/retention-timer.ts";
import type { HistoryAccess } from "./history-access.ts";
import type { HistoryChannel } from "./history-channels.ts";
import { ApiProblem } from "./problem.ts";
import { type BucketsAnswer, MAX_JSON_ROWS, type RowsAnswer } from "./schemas/history-schema.ts";
import { within } from "./time-range.ts";
import { rounderOf } from "./value-digits.ts";

const STATUS_INVALID = 1;

/** One question about a device's past. */
export interface HistoryQuestion {
  readonly view: TwinView;
  readonly range: TimeRange;
  readonly span: TimeRange | undefined;
  readonly channels: readonly HistoryChannel[];
  /** The cloud's Unix time, µs. */
  readonly nowUs: number;
  /** How much history is kept. */
  readonly retention?: Retention;
}

/** A run as an answer carries it: channels by name. */
export type NamedRun = Omit<Run, "channel"> & { readonly channel: string | null };

/** Answer in at most so many buckets. */
export async function bucketsAnswer(
  history: HistoryAccess,
  question: HistoryQuestion,
  maxBuckets: number,
): Promise<BucketsAnswer> {
  const { view, range, span, channels } = question;
  const part = within(range, span);
  const indices = channels.map(({ index }) => index);
  const buckets = part === undefined ? undefined : await history.buckets(view.id, part, maxBuckets, indices);
  const isEmpty = buckets?.samples.every((samples) => samples === 0) ?? true;
  return {
    ...(await headOf(history, question, isEmpty)),
    runs: namedRuns(question, await bucketRuns(history, question, buckets)),
    t0Us: buckets?.fromUs ?? range.fromUs,
    widthUs: buckets?.widthUs ?? null,
    count: buckets?.count ?? 0,
    channels: channels.map(({ name, unit, eps }, i) => {
      const round = rounderOf(eps);
      const column = (values: Float64Array | undefined) =>
        Array.from(values ?? [], (value) => (Number.isNaN(value) ? null : round(value)));
      const columns = buckets?.channels[i];
      return { name, unit, eps, first: column(columns?.first), second: column(columns?.second) };
    }),
  };
}

/** Answer at full rate in one JSON object. @throws {ApiProblem} `range-too-long` */
export async function rowsAnswer(history: HistoryAccess, question: HistoryQuestion): Promise<RowsAnswer> {
  const { channels } = question;
  const timesUs: number[] = [];
  const epochs: number[] = [];
  const columns = channels.map(() => ({ values: [] as (number | null)[], statuses: [] as number[] }));
  for await (const block of rowsOf(history, question)) {
    if (timesUs.length + block.timesUs.length > MAX_JSON_ROWS) {
      const detail = `the range has over ${MAX_JSON_ROWS} samples, the most in one JSON answer: take a shorter one, buckets=N, or format=ndjson or csv, which are streamed`;
      throw new ApiProblem("range-too-long", detail, { limit: MAX_JSON_ROWS });
    }
    block.timesUs.forEach((timeUs, row) => {
      timesUs.push(timeUs);
      epochs.push(block.epoch);
      for (const [i, channel] of channels.entries()) {
        const column = channel.columnIn(block);
        const at = row * block.channels + (column ?? 0);
        const status = column === undefined ? STATUS_INVALID : (block.statuses[at] ?? STATUS_INVALID);
        columns[i]?.values.push(status === STATUS_INVALID ? null : (block.values[at] ?? 0));
        columns[i]?.statuses.push(status);
      }
    });
  }
  return {
    ...(await headOf(history, question, timesUs.length === 0)),
    runs: namedRuns(question, await runsOf(history, question)),
    timesUs,
    epochs,
    channels: channels.map(({ name, unit, eps }, i) => ({
      ...{ name, unit, eps },
      ...(columns[i] ?? { values: [], statuses: [] }),
    })),
  };
}

/** What every answer says of its range; of an empty one where there is something beside it. */
async function headOf(history: HistoryAccess, { view, range, span, retention }: HistoryQuestion, isEmpty: boolean) {
  const { maxAgeMs, maxBytes } = retention ?? {};
  return {
    id: view.id,
    range,
    span: span ?? null,
    nearest: isEmpty ? await history.nearest(view.id, range) : null,
    kept: { maxAgeS: maxAgeMs === undefined ? null : maxAgeMs / 1000, maxBytes: maxBytes ?? null },
  };
}

/** What is missing from a range, found without decoding more of it than its buckets need. */
export async function gapsOf(history: HistoryAccess, question: HistoryQuestion): Promise<Run[]> {
  const part = within(question.range, question.span);
  const buckets = part === undefined ? undefined : await history.buckets(question.view.id, part, 1, [0]);
  const runs = await bucketRuns(history, question, buckets);
  return runs.filter(({ kind }) => kind !== "saturated" && kind !== "invalid");
}

/** The rows of a question. @returns what could not be read */
export async function* rowsOf(
  history: HistoryAccess,
  { view, range, span }: HistoryQuestion,
): AsyncGenerator<RowBlock, readonly Run[]> {
  const part = within(range, span);
  return part === undefined ? [] : yield* history.rows(view.id, part);
}

/** The runs of buckets come with them; only what lies before all that is kept has to be asked for. */
async function bucketRuns(
  history: HistoryAccess,
  question: HistoryQuestion,
  buckets: Buckets | undefined,
): Promise<Run[]> {
  const { view, range, span } = question;
  if (buckets === undefined) return await runsOf(history, question);
  const toUs = span?.fromUs ?? range.toUs;
  const before = range.fromUs < toUs ? await history.runs(view.id, { fromUs: range.fromUs, toUs }) : [];
  return withPending(question, [...before, ...buckets.runs]);
}

/** What is missing or flagged in a range, with what is awaited now. */
export async function runsOf(history: HistoryAccess, question: HistoryQuestion): Promise<Run[]> {
  return withPending(question, await history.runs(question.view.id, question.range));
}

function withPending({ view, range, nowUs }: HistoryQuestion, stored: readonly Run[]): Run[] {
  const pending = pendingRun(view, nowUs);
  const isIn = pending !== undefined && pending.toUs > range.fromUs && pending.fromUs < range.toUs;
  return isIn ? [...stored, pending] : [...stored];
}

/** Runs of the channels that were asked for, by name. */
export function namedRuns({ view, channels }: HistoryQuestion, runs: readonly Run[]): NamedRun[] {
  const chosen = new Set(channels.map(({ index }) => index));
  return runs
    .filter(({ channel }) => channel === null || chosen.has(channel))
    .map((run) => ({
      ...run,
      channel: run.channel === null ? null : (view.birth.channels[run.channel]?.name ?? null),
    }));
}

/** Device time, µs, from which on samples are missing that were asked for again; undefined when none are. */
export function pendingFromUs({ status, confirmed, birth }: TwinView): number | undefined {
  const isPending = (status === "gap" || status === "catching-up") && confirmed.samples > 0;
  return isPending ? confirmed.timeUs + birth.periodNs / 1000 : undefined;
}

/** From the last confirmed sample to now, while frames are missing that were asked for. */
function pendingRun(view: TwinView, nowUs: number): Run | undefined {
  const fromUs = pendingFromUs(view);
  const toUs = nowUs + (view.clockOffsetUs ?? 0);
  return fromUs !== undefined && toUs > fromUs ? { kind: "gap-pending", channel: null, fromUs, toUs } : undefined;
}
