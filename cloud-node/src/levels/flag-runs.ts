import type { LevelRows } from "./level-builder.ts";

/** A piece of device time in which a channel's samples are invalid or saturated; `toUs` is exclusive. */
export interface FlagRun {
  readonly kind: "invalid" | "saturated";
  readonly channel: number;
  readonly fromUs: number;
  readonly toUs: number;
}

/** More runs than this are told as fewer, longer ones: a channel that flickers is one that is not well. */
const MOST_RUNS = 64;
const OK = 0;
const INVALID = 1;

interface OpenRun {
  readonly status: number;
  readonly fromUs: number;
  toUs: number;
}

/** Follows the statuses of rows as they come. */
export class FlagRuns {
  readonly #periodUs: number;
  readonly #open: (OpenRun | undefined)[];
  #runs: FlagRun[];

  /** @param begun  runs so far */
  constructor(channels: number, periodUs: number, begun: readonly FlagRun[] = []) {
    this.#periodUs = periodUs;
    this.#runs = [...begun];
    this.#open = Array.from({ length: channels }, () => undefined);
  }

  /**
   * Add rows, in the order in which they came.
   *
   * @param hasEvents  false: all of them are ok
   */
  add(rows: LevelRows, timeUs: (row: number) => number, hasEvents: boolean, from = 0, to = rows.count): void {
    const channels = this.#open.length;
    if (!hasEvents && this.#open.every((run) => run === undefined)) return;
    for (let row = from; row < to; row++) {
      const time = timeUs(row);
      for (let c = 0; c < channels; c++) this.#step(c, rows.statuses[row * channels + c] ?? OK, time);
    }
  }

  /** All runs so far, in order of time; those that still go on end with the last sample. */
  runs(): FlagRun[] {
    const open = this.#open.flatMap((run, channel) => (run === undefined ? [] : [closed(run, channel)]));
    return fewer([...this.#runs, ...open], this.#periodUs);
  }

  #step(channel: number, status: number, timeUs: number): void {
    const run = this.#open[channel];
    // Half a period of slack: times are rounded to microseconds.
    if (run !== undefined && run.status === status && Math.abs(timeUs - run.toUs) <= this.#periodUs / 2 + 1) {
      run.toUs = timeUs + this.#periodUs;
      return;
    }
    if (run !== undefined) this.#runs.push(closed(run, channel));
    if (this.#runs.length >= 2 * MOST_RUNS) this.#runs = fewer(this.#runs, this.#periodUs);
    this.#open[channel] = status === OK ? undefined : { status, fromUs: timeUs, toUs: timeUs + this.#periodUs };
  }
}

function closed({ status, fromUs, toUs }: OpenRun, channel: number): FlagRun {
  return { kind: status === INVALID ? "invalid" : "saturated", channel, fromUs, toUs };
}

/** Sort runs, and join neighbours of a kind that are ever further apart until they are few enough. */
function fewer(runs: readonly FlagRun[], periodUs: number): FlagRun[] {
  // A run may have been cut in two by a restart.
  let sorted = joined(
    runs.toSorted((a, b) => a.fromUs - b.fromUs || a.channel - b.channel),
    periodUs / 2 + 1,
  );
  for (let slackUs = 2 * periodUs; sorted.length > MOST_RUNS && Number.isFinite(slackUs); slackUs *= 2) {
    sorted = joined(sorted, slackUs);
    if (new Set(sorted.map(({ kind, channel }) => `${kind}${channel}`)).size === sorted.length) break;
  }
  return sorted;
}

/**
 * Join runs of one kind and channel that are no further apart than this.
 *
 * @param runs  in order of `fromUs`
 */
export function joined<
  R extends { readonly kind: string; readonly channel: number | null; readonly fromUs: number; readonly toUs: number },
>(runs: readonly R[], slackUs: number): R[] {
  const last = new Map<string, number>();
  const all: R[] = [];
  for (const run of runs) {
    const key = `${run.kind} ${run.channel}`;
    const at = last.get(key);
    const before = at === undefined ? undefined : all[at];
    if (at !== undefined && before !== undefined && run.fromUs - before.toUs <= slackUs) {
      all[at] = { ...before, toUs: Math.max(before.toUs, run.toUs) };
      continue;
    }
    last.set(key, all.length);
    all.push(run);
  }
  return all;
}
