import type { KeyframeFrame, SequencedFrame } from "@lockstep/protocol";
import type { BirthPlan, CodecConfig } from "./birth-plan.ts";
import { unlessRefused } from "./codec-refusal.ts";
import { type FrameDecoder, type FramePlace, payloadRows, tryFrame } from "./frame-trial.ts";
import type { RowClock } from "./recent-samples.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { UnpackedResult } from "./trial-batch.ts";
import { packSnapshot, unpackSnapshot } from "./twin-snapshot.ts";

/**
 * What became of a frame that stood next in line.
 *
 * `taken`: decoded and proved by its seal · `state-mismatch`: damaged, misplaced, or the ends have parted ·
 * `unknown-birth`: a keyframe of a birth that has not come · `needs-keyframe`: nothing to go on from ·
 * `implausible`: sizes that its birth rules out
 */
export type TakeOutcome = "taken" | "state-mismatch" | "unknown-birth" | "needs-keyframe" | "implausible";

/** Where the births named by keyframes are found. */
export type PlanLookup = (birthHash: string) => BirthPlan | undefined;

/** Everything counted since the epoch began. */
export interface TwinCounts {
  /** Samples decoded. */
  readonly samples: number;
  /** Samples declared lost. */
  readonly lost: number;
  /** Channel-samples flagged. */
  readonly invalid: number;
  readonly saturated: number;
}

/** A run of frames since a keyframe. */
interface Segment {
  readonly plan: BirthPlan;
  readonly lattices: number;
  readonly config: CodecConfig;
  readonly decoder: FrameDecoder;
  /** Device time of the segment's first sample, µs. */
  readonly timeUs: number;
  /** Samples decoded in it. */
  readonly rows: number;
}

/** A frame that stands next in line and could be decoded, here or on another thread; nothing has moved yet. */
export interface FrameTrial {
  readonly segment: Segment;
  readonly frame: SequencedFrame;
  /** The whole frame as received. */
  readonly bytes: Uint8Array;
  readonly place: FramePlace;
  /** Samples in its payload. */
  readonly count: number;
  /** Samples declared lost right before it. */
  readonly lost: number;
}

const NOTHING: TwinCounts = { samples: 0, lost: 0, invalid: 0, saturated: 0 };
const STATUS_INVALID = 1;
const STATUS_SATURATED = 2;

/**
 * The cloud's copy of one epoch of one device: the codec state after the last frame, and what was counted on the way.
 * It takes frames strictly in order. A frame either proves itself by its seal or leaves no trace.
 */
export class Twin {
  readonly epoch: number;
  readonly #device: string;
  readonly #plans: PlanLookup;
  readonly #rows: RowBuffer;
  #next = 0;
  #segment: Segment | undefined;
  #counts = NOTHING;
  #extrapolated:
    | { readonly decoder: FrameDecoder; readonly kept: number; rows: number; samples: Int32Array }
    | undefined;

  /** @param device  its name; every seal binds a frame to it. `rows`: where a taken frame's rows are put; may be shared, they are read at once */
  constructor(device: string, epoch: number, plans: PlanLookup, rows: RowBuffer) {
    this.epoch = epoch;
    this.#device = device;
    this.#plans = plans;
    this.#rows = rows;
  }

  /** Seq of the frame to be taken next. */
  get next(): number {
    return this.#next;
  }

  get counts(): TwinCounts {
    return this.#counts;
  }

  /** The birth that the running segment belongs to; undefined before the first keyframe. */
  get plan(): BirthPlan | undefined {
    return this.#segment?.plan;
  }

  /** Hash of the codec state after the last frame taken: the device had the same. Undefined before the first keyframe. */
  get stateHash(): number | undefined {
    return this.#segment?.decoder.hash();
  }

  /** Device time of the sample after the last one decoded, µs; undefined before the first keyframe. */
  get nextTimeUs(): number | undefined {
    return this.#segment === undefined ? undefined : timeOf(this.#segment, this.#segment.rows);
  }

  /** When the rows of the frame taken last were. */
  get rowClock(): RowClock {
    const segment = this.#segment;
    if (segment === undefined) return { startUs: 0, firstRow: 0, periodNs: 0 };
    const { timeUs: startUs, rows, plan } = segment;
    return { startUs, firstRow: rows - this.#rows.count, periodNs: plan.birth.periodNs };
  }

  /** Device time of a row of the frame taken last, µs. @param row  0 … rows.count − 1 */
  rowTimeUs(row: number): number {
    return this.#segment === undefined ? 0 : timeOf(this.#segment, this.#segment.rows - this.#rows.count + row);
  }

  /**
   * Take the frame with seq `next`. Once taken, its rows are in the row buffer.
   *
   * @param bytes  the whole frame as received, for its seal
   * @param lost  samples declared lost right before it; not 0 for keyframes alone
   */
  take(frame: SequencedFrame, bytes: Uint8Array, lost = 0): TakeOutcome {
    const trial = this.begin(frame, bytes, lost);
    if (typeof trial === "string") return trial;
    return this.decode(trial);
  }

  /**
   * The first half of `take`: everything but the decoding. `decode` or `adopt` follows before anything else is taken.
   *
   * @param lost  as of `take`
   */
  begin(frame: SequencedFrame, bytes: Uint8Array, lost = 0): FrameTrial | Exclude<TakeOutcome, "taken"> {
    const segment = frame.kind === "keyframe" ? this.#open(frame) : this.#segment;
    if (segment === undefined) {
      if (frame.kind !== "keyframe") return "needs-keyframe";
      return this.#plans(frame.birthHash) === undefined ? "unknown-birth" : "implausible";
    }
    const count = payloadRows(frame, segment.plan.birth.frameSamples);
    if (count === undefined) return "implausible";
    const place = { device: this.#device, epoch: this.epoch, seq: this.#next };
    return { segment, frame, bytes, place, count, lost };
  }

  /** The second half, here and now. */
  decode(trial: FrameTrial): TakeOutcome {
    const { segment, frame, bytes, place, count } = trial;
    const channels = segment.plan.birth.channels.length;
    return this.#settle(trial, tryFrame(segment.decoder, frame, bytes, place, count, channels, this.#rows));
  }

  /** The second half, where another thread decoded it: with the codec's state before the frame, and nothing else. */
  adopt(trial: FrameTrial, { isProved, channels, samples, statuses, state }: UnpackedResult): TakeOutcome {
    if (isProved) {
      this.#rows.clear(channels);
      this.#rows.append(samples, statuses);
      trial.segment.decoder.restoreState(state);
    }
    return this.#settle(trial, isProved);
  }

  #settle({ segment, frame, lost }: FrameTrial, isProved: boolean): TakeOutcome {
    if (!isProved) return "state-mismatch";
    const rows = this.#rows;
    this.#segment = { ...segment, rows: segment.rows + rows.count };
    this.#count(rows, lost, frame.kind !== "heartbeat" && frame.hasEvents);
    this.#next += 1;
    this.#extrapolated = undefined;
    return "taken";
  }

  /** Samples that must have passed between the last one decoded and a keyframe, by the device's own time. */
  samplesUntil(keyframeTimeUs: number): number {
    const segment = this.#segment;
    if (segment === undefined) return 0;
    const elapsedNs = (keyframeTimeUs - timeOf(segment, segment.rows)) * 1000;
    // A device may claim any time; a larger number could be stored, but not read back.
    return Math.min(Math.max(0, Math.round(elapsedNs / segment.plan.birth.periodNs)), Number.MAX_SAFE_INTEGER);
  }

  /** Frames below `seq` will not come: the next one to take is that, and a keyframe. */
  skipTo(seq: number): void {
    this.#next = seq;
  }

  /**
   * Run ahead of the last sample as if nothing unforeseen happened. The twin itself does not move.
   *
   * @param count  samples ahead, ≥ 1
   * @param rows  overwritten; its last row is the extrapolated sample
   * @param kept  rows that lead up to it and are wanted with it, itself included; at most so many are there
   * @returns false when there is nothing to go on from
   */
  extrapolate(count: number, rows: RowBuffer, kept = 1): boolean {
    const segment = this.#segment;
    if (segment === undefined) return false;
    let ahead = this.#extrapolated;
    if (ahead === undefined || ahead.rows > count || ahead.kept < kept) {
      const decoder = segment.plan.core.createDecoder(segment.config);
      decoder.restoreState(segment.decoder.saveState());
      ahead = { decoder, kept, rows: 0, samples: new Int32Array(0) };
      this.#extrapolated = ahead;
    }
    const { decoder, rows: done } = ahead;
    const channels = segment.plan.birth.channels.length;
    if (count > done) {
      const samples = unlessRefused(() => decoder.replayQuiet(count - done));
      if (samples === undefined) return false;
      ahead.rows = count;
      const all = new Int32Array(ahead.samples.length + samples.length);
      all.set(ahead.samples);
      all.set(samples, ahead.samples.length);
      ahead.samples = all.slice(-ahead.kept * channels);
    }
    rows.clear(channels);
    rows.append(ahead.samples.subarray(-kept * channels), undefined);
    return true;
  }

  /**
   * Everything needed to go on from here after a restart; undefined before the first keyframe.
   *
   * @param isCold  without the codec's state: enough where a keyframe comes next
   */
  snapshot(isCold = false): Uint8Array | undefined {
    const segment = this.#segment;
    if (segment === undefined) return undefined;
    return packSnapshot({
      birthHash: segment.plan.hash,
      lattices: segment.lattices,
      segmentTimeUs: segment.timeUs,
      segmentRows: segment.rows,
      counts: this.#counts,
      state: isCold ? new Uint8Array(0) : segment.decoder.saveState(),
    });
  }

  /**
   * Go on from a snapshot.
   *
   * @param next  seq of the frame that follows it
   * @returns false when it is not one of ours, or names a birth that is not known; the twin is unchanged then
   */
  restore(snapshot: Uint8Array, next: number): boolean {
    const saved = unpackSnapshot(snapshot);
    const segment =
      saved === undefined ? undefined : this.#segmentOf(saved.birthHash, saved.lattices, saved.segmentTimeUs);
    if (saved === undefined || segment === undefined) return false;
    const isCold = saved.state.length === 0;
    if (!isCold && unlessRefused(() => segment.decoder.restoreState(saved.state) ?? true) === undefined) return false;
    this.#segment = { ...segment, rows: saved.segmentRows };
    this.#counts = saved.counts;
    this.#next = next;
    this.#extrapolated = undefined;
    return true;
  }

  #open({ birthHash, lattices, timeUs }: KeyframeFrame): Segment | undefined {
    return this.#segmentOf(birthHash, lattices, timeUs);
  }

  #segmentOf(birthHash: string, lattices: number, timeUs: number): Segment | undefined {
    const plan = this.#plans(birthHash);
    const config = plan?.config(lattices);
    if (plan === undefined || config === undefined) return undefined;
    return { plan, lattices, config, decoder: plan.core.createDecoder(config), timeUs, rows: 0 };
  }

  #count(rows: RowBuffer, lost: number, hasEvents: boolean): void {
    let invalid = 0;
    let saturated = 0;
    if (hasEvents) {
      const flagged = rows.statuses.subarray(0, rows.count * rows.channels);
      for (const status of flagged) {
        if (status === STATUS_INVALID) invalid += 1;
        else if (status === STATUS_SATURATED) saturated += 1;
      }
    }
    const before = this.#counts;
    this.#counts = {
      samples: before.samples + rows.count,
      lost: before.lost + lost,
      invalid: before.invalid + invalid,
      saturated: before.saturated + saturated,
    };
  }
}

function timeOf({ timeUs, plan }: Segment, row: number): number {
  return timeUs + Math.round((row * plan.birth.periodNs) / 1000);
}
