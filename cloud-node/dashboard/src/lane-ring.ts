import type { LaneUpdate } from "../../src/api/lane-feed.ts";
import type { LaneRun } from "./lane-run.ts";

/** Buckets of one lane as an update tells them; null where there is nothing. */
export interface RingLane {
  readonly times: readonly number[];
  readonly first: readonly (number | null)[];
  readonly second: readonly (number | null)[];
  readonly runs: LaneUpdate["lanes"][number]["runs"];
}

/** Room beyond one window, so that what is kept is moved rarely. */
const SPARE = 1.25;
const MIN_BUCKETS = 64;

/** The live buckets of one channel: columns of fixed room, oldest first, that are moved down when they are full. */
export class LaneRing {
  #times = new Float64Array(0);
  #first = new Float64Array(0);
  #second = new Float64Array(0);
  #start = 0;
  #end = 0;
  #runs: LaneRun[] = [];
  #widthUs = 0;

  /** Buckets kept. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** µs; 0 before the first update. */
  get widthUs(): number {
    return this.#widthUs;
  }

  get runs(): readonly LaneRun[] {
    return this.#runs;
  }

  /** Start of the i-th bucket kept, µs. */
  timeUs(i: number): number {
    return this.#times[this.#start + i] ?? Number.NaN;
  }

  /** The earlier of the two extremes of the i-th bucket. */
  first(i: number): number {
    return this.#first[this.#start + i] ?? Number.NaN;
  }

  /** The later of the two extremes of the i-th bucket. */
  second(i: number): number {
    return this.#second[this.#start + i] ?? Number.NaN;
  }

  /** Take what an update says about channel `c`: its first bucket may replace the last one here. */
  apply(update: LaneUpdate, c: number): void {
    const lane = update.lanes[c];
    if (lane !== undefined) this.take(update, lane);
  }

  /** Take buckets that belong to an update: its first one may replace the last one here. */
  take(update: Pick<LaneUpdate, "isWhole" | "widthUs" | "windowUs" | "confirmedUs">, lane: RingLane): void {
    if (update.isWhole || update.widthUs !== this.#widthUs) this.#reset(update);
    const from = lane.times[0] ?? Number.POSITIVE_INFINITY;
    while (this.#end > this.#start && (this.#times[this.#end - 1] ?? 0) >= from) this.#end -= 1;
    const newest = Math.max(0, lane.times.length - this.#times.length);
    for (let i = newest; i < lane.times.length; i++) {
      if (this.#end === this.#times.length) this.#moveDown();
      this.#times[this.#end] = lane.times[i] ?? Number.NaN;
      this.#first[this.#end] = lane.first[i] ?? Number.NaN;
      this.#second[this.#end] = lane.second[i] ?? Number.NaN;
      this.#end += 1;
    }
    for (const { kind, from: fromUs, to: toUs } of lane.runs) {
      this.#addRun({ kind: kind === "lost" ? "gap-lost" : kind, fromUs, toUs });
    }
    const oldest = update.confirmedUs - update.windowUs - this.#widthUs;
    while (this.#start < this.#end && (this.#times[this.#start] ?? 0) < oldest) this.#start += 1;
    if (this.#runs.some((run) => run.toUs < oldest)) this.#runs = this.#runs.filter((run) => run.toUs >= oldest);
  }

  #reset({ windowUs, widthUs }: Pick<LaneUpdate, "windowUs" | "widthUs">): void {
    const room = Math.max(MIN_BUCKETS, Math.ceil((SPARE * windowUs) / widthUs) + 2);
    if (room > this.#times.length) {
      this.#times = new Float64Array(room);
      this.#first = new Float64Array(room);
      this.#second = new Float64Array(room);
    }
    this.#widthUs = widthUs;
    this.#start = 0;
    this.#end = 0;
    this.#runs = [];
  }

  /** Make room at the end; where nothing has left at the start yet, the oldest goes. */
  #moveDown(): void {
    const from = Math.max(this.#start, 1);
    for (const column of [this.#times, this.#first, this.#second]) column.copyWithin(0, from, this.#end);
    this.#end -= from;
    this.#start = 0;
  }

  /** A run that goes on is told again from where the update begins. */
  #addRun(run: LaneRun): void {
    const last = this.#runs.at(-1);
    const isMore = last !== undefined && last.kind === run.kind && run.fromUs <= last.toUs;
    if (isMore) this.#runs[this.#runs.length - 1] = { ...last, toUs: Math.max(last.toUs, run.toUs) };
    else if (!this.#runs.some(({ kind, fromUs }) => kind === run.kind && fromUs === run.fromUs)) this.#runs.push(run);
  }
}
