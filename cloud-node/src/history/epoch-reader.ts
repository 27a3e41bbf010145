import { replayFrames } from "../reconstructor/replay.ts";
import { RowBuffer } from "../reconstructor/row-buffer.ts";
import { readStoredFrame } from "../reconstructor/stored-frame.ts";
import { type PlanLookup, Twin } from "../reconstructor/twin.ts";
import { isDamage } from "../store/damage.ts";
import type {
  StoredDevice,
  StoredFrame,
  StoredGap,
  StoredSnapshot,
  StoredStretch,
  StoreReader,
} from "../store/store.ts";
import { coverEpoch, type EpochPart } from "./epoch-cover.ts";
import { type FrameTimes, timesOf } from "./epoch-tail.ts";
import type { Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

/** Where an epoch is read from. */
export interface EpochSource {
  readonly reader: StoreReader;
  readonly device: StoredDevice;
  readonly epoch: number;
  readonly plans: PlanLookup;
  /** Of this epoch. */
  readonly gaps: readonly StoredGap[];
  /** Seq up to which nothing is kept any more; −1 for none. */
  readonly expired: number;
}

/** A frame decoded anew: its rows are in the buffer until the next one. */
export interface DecodedFrame {
  readonly twin: Twin;
  readonly rows: RowBuffer;
  readonly hasEvents: boolean;
}

type FramesPart = Extract<EpochPart, { kind: "frames" }>;

/** Reads the kept frames of one epoch, from wherever a snapshot lets it begin. */
export class EpochReader {
  readonly #source: EpochSource;
  readonly #rows = new RowBuffer();
  #twin: Twin | undefined;

  constructor(source: EpochSource) {
    this.#source = source;
  }

  /** The parts that a range may have samples in. @param suffices  as `CoverRequest.suffices` */
  parts(range: TimeRange, suffices: (stretch: StoredStretch) => boolean): Generator<EpochPart> {
    const { reader, device, epoch, expired } = this.#source;
    return coverEpoch({ reader, device: device.key, epoch, range, expired, suffices });
  }

  /** Time of all that is kept; nothing when that is no sample. */
  times(): TimeRange | undefined {
    let [fromUs, toUs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const part of this.parts(EVER, () => true)) {
      if (part.kind === "stretch" && part.stretch.samples === 0) continue;
      const times = part.kind === "stretch" ? part.stretch : this.#unstretched(part).times;
      fromUs = Math.min(fromUs, times.fromUs ?? Number.POSITIVE_INFINITY);
      toUs = Math.max(toUs, times.toUs);
    }
    return fromUs < toUs ? { fromUs, toUs } : undefined;
  }

  /** Whether any sample of a part may be flagged; told without decoding it. */
  isFlagged(part: EpochPart): boolean {
    return part.kind === "stretch" ? part.stretch.flagged > 0 : this.#unstretched(part).times.hasEvents;
  }

  /**
   * Decode what a part holds, frame by frame. What cannot be read is passed over.
   *
   * @returns what was passed over
   */
  *decode(part: EpochPart, range: TimeRange): Generator<DecodedFrame, Run[]> {
    const { from, through } = part.kind === "stretch" ? part.stretch : part;
    let end = part.kind === "stretch" ? part.stretch.toUs : (part.after?.fromUs ?? range.toUs);
    if (part.kind === "frames") {
      const { times, isUnreadable } = this.#unstretched(part);
      if (times.fromUs === undefined && !isUnreadable) return this.#missing(part);
      if (times.fromUs !== undefined && (times.fromUs >= range.toUs || times.toUs <= range.fromUs)) return [];
      end = Math.max(end, times.toUs);
    }
    const damage: Run[] = [];
    const beginUs = part.kind === "stretch" ? part.stretch.fromUs : (part.before?.toUs ?? range.fromUs);
    const lose = (fromUs: number, toUs: number) => {
      if (!this.#isExpiredNow(from) && fromUs < toUs) damage.push({ kind: "damaged", channel: null, fromUs, toUs });
    };
    let lostFromUs: number | undefined;
    let twin: Twin | undefined;
    try {
      twin = this.#standAt(from, startOf(part));
      let next = twin.next;
      while (next <= through) {
        const steps = replayFrames(twin, this.#frames(next, through), this.#source.gaps);
        let step = steps.next();
        for (; !step.done; step = steps.next()) {
          const { frame, seq } = step.value;
          if (lostFromUs !== undefined && frame.kind === "keyframe") {
            lose(lostFromUs, frame.timeUs);
            lostFromUs = undefined;
          }
          if (seq >= from) yield { twin, rows: this.#rows, hasEvents: frame.kind !== "heartbeat" && frame.hasEvents };
        }
        if (step.value.kind === "complete") break;
        // Whatever follows builds on what is lost, up to a keyframe.
        lostFromUs ??= twin.nextTimeUs ?? beginUs;
        next = this.#nextKeyframe(step.value.seq + 1, through);
        twin.skipTo(next);
      }
      if (lostFromUs === undefined) this.#twin = twin;
    } catch (error) {
      if (!isDamage(error)) throw error;
      lostFromUs ??= twin?.nextTimeUs ?? beginUs;
    }
    if (lostFromUs !== undefined) {
      this.#twin = undefined;
      lose(lostFromUs, end);
    }
    return damage;
  }

  /** Heads of frames that no stretch tells of. */
  #unstretched(part: FramesPart): {
    readonly times: FrameTimes;
    readonly isUnreadable: boolean;
  } {
    const { plans } = this.#source;
    try {
      const start = startOf(part) ?? this.#startAt(part.from);
      return { times: timesOf(this.#frames(start?.seq ?? part.from, part.through), start, plans), isUnreadable: false };
    } catch (error) {
      if (!isDamage(error)) throw error;
      const nothing = { fromUs: undefined, toUs: Number.NEGATIVE_INFINITY, hasEvents: false };
      return { times: nothing, isUnreadable: true };
    }
  }

  /** Between two stretches there are no frames: they were lost on the way, which is declared, or here. */
  #missing({ from, through, before, after }: FramesPart): Run[] {
    if (before === undefined || after === undefined || this.#isExpiredNow(from)) return [];
    let next = from;
    for (const gap of this.#source.gaps) if (gap.from <= next && gap.through >= next) next = gap.through + 1;
    if (next > through || before.toUs >= after.fromUs) return [];
    return [{ kind: "damaged", channel: null, fromUs: before.toUs, toUs: after.fromUs }];
  }

  #frames(from: number, through: number): Iterable<StoredFrame> {
    const { reader, device, epoch } = this.#source;
    return reader.frames(device.key, epoch, from, through);
  }

  /** The twin with `seq` to be taken next, or one that comes there by the frames before. */
  #standAt(seq: number, known: StoredSnapshot | undefined): Twin {
    if (this.#twin?.next === seq) return this.#twin;
    const { device, epoch, plans } = this.#source;
    const twin = new Twin(device.id, epoch, plans, this.#rows);
    const start = known ?? this.#startAt(seq);
    if (start === undefined || !twin.restore(start.state, start.seq)) twin.skipTo(start?.seq ?? seq);
    this.#twin = undefined;
    return twin;
  }

  /** What is known of the twin before `seq`, or before the last frame before it of which something is. */
  #startAt(seq: number): StoredSnapshot | undefined {
    const { reader, device, epoch } = this.#source;
    // In this order: what the newest snapshot was of goes into a pack, never back.
    const newest = reader.snapshot(device.key, epoch);
    if (newest?.seq === seq) return newest;
    const own = reader.stretchStart(device.key, epoch, seq);
    if (own !== undefined) return own;
    if (newest !== undefined && newest.seq < seq) return newest;
    const before = reader.stretches(device.key, epoch, 0, 0, seq).at(-1);
    return before === undefined || before.from === seq
      ? undefined
      : reader.stretchStart(device.key, epoch, before.from);
  }

  #nextKeyframe(from: number, through: number): number {
    for (const { seq, bytes } of this.#frames(from, through)) {
      if (readStoredFrame(bytes)?.kind === "keyframe") return seq;
    }
    return through + 1;
  }

  /** Retention may have deleted what a part was made of since. */
  #isExpiredNow(seq: number): boolean {
    const { reader, device, epoch } = this.#source;
    const now = reader.expiries(device.key).find((expiry) => expiry.epoch === epoch);
    return now !== undefined && seq <= now.through;
  }
}

function startOf(part: EpochPart): StoredSnapshot | undefined {
  return part.kind === "frames" ? part.start : undefined;
}

const EVER: TimeRange = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };
