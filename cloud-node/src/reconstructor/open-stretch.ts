import { LEAST_STORED_SHIFT, rasterShift } from "../levels/bucket-place.ts";
import { FlagRuns } from "../levels/flag-runs.ts";
import { Level } from "../levels/level.ts";
import { LevelBuilder } from "../levels/level-builder.ts";
import { packLevel, type StoredLevel, unpackLevel } from "../levels/level-codec.ts";
import type { StoredStretch, StoredTail } from "../store/store.ts";
import type { BirthPlan } from "./birth-plan.ts";
import { timeOfRow } from "./recent-samples.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { Twin } from "./twin.ts";

/** Levels take no more than this part of the bytes of the frames that they are made of. */
const LEVEL_SHARE = 1 / 12;
/** No bucket holds less than this part of its stretch: wider ones save next to nothing. */
const LEAST_BUCKETS = 4;
/** A replay takes about as long for a frame, whatever is in it, as for so many channel-samples. */
const FRAME_WORK = 60;

/** What was counted of a stretch so far. */
type StretchCounts = Pick<StoredTail, "frames" | "frameBytes" | "work" | "samples" | "flagged" | "fromUs" | "toUs">;

const NOTHING: StretchCounts = {
  frames: 0,
  frameBytes: 0,
  work: 0,
  samples: 0,
  flagged: 0,
  fromUs: Number.MAX_SAFE_INTEGER,
  toUs: 0,
};

/** The stretch of an epoch that still grows: what is known of its frames when it is closed. */
export class OpenStretch {
  readonly plan: BirthPlan;
  #counts: StretchCounts;
  /** Device time after its last frame, µs. */
  #endUs = 0;
  readonly #levels: LevelBuilder;
  readonly #runs: FlagRuns;

  private constructor(plan: BirthPlan, counts: StretchCounts, { level, runs }: Pick<StoredLevel, "level" | "runs">) {
    this.plan = plan;
    this.#counts = counts;
    const { channels, periodNs } = plan.birth;
    const periodUs = periodNs / 1000;
    const rasterShifts = channels.map(({ e }) => rasterShift(e, LEAST_STORED_SHIFT));
    this.#levels = new LevelBuilder({ channels: channels.length, periodUs, rasterShifts }, level);
    this.#runs = new FlagRuns(channels.length, periodUs, runs);
  }

  /** @param shift  of its buckets, at least; they become wider as it grows */
  static begin(plan: BirthPlan, shift: number): OpenStretch {
    const level = new Level(plan.birth.channels.length, Math.max(shift, LEAST_STORED_SHIFT));
    return new OpenStretch(plan, NOTHING, { level, runs: [] });
  }

  /**
   * Go on with what was kept of it.
   *
   * @returns undefined for one of another layout version
   * @throws {InvariantError} when it is damaged
   */
  static resume(plan: BirthPlan, tail: StoredTail): OpenStretch | undefined {
    const stored = unpackLevel(tail.levels, tail.fromUs);
    return stored === undefined ? undefined : new OpenStretch(plan, tail, stored);
  }

  get counts(): StretchCounts {
    return this.#counts;
  }

  /** A frame was taken; its rows are in the buffer. */
  add(twin: Twin, rows: RowBuffer, frameBytes: number, hasEvents: boolean): void {
    const before = this.#counts;
    const clock = twin.rowClock;
    const timeUs = (row: number) => timeOfRow(clock, row);
    let flagged = before.flagged;
    if (hasEvents) for (let i = 0; i < rows.count * rows.channels; i++) flagged += rows.statuses[i] === 0 ? 0 : 1;
    this.#endUs = Math.min(Math.max(0, Math.round(twin.nextTimeUs ?? 0)), Number.MAX_SAFE_INTEGER);
    let { fromUs, toUs } = before;
    if (rows.count > 0) {
      this.#levels.add(rows, timeUs);
      this.#runs.add(rows, timeUs, hasEvents);
      const endUs = Math.ceil(timeUs(rows.count - 1) + this.plan.birth.periodNs / 1000);
      fromUs = Math.min(fromUs, timeUs(0));
      // A device may claim any time; a larger number could be stored, but not read back.
      toUs = Math.min(Math.max(toUs, endUs), Number.MAX_SAFE_INTEGER);
    }
    this.#counts = {
      frames: before.frames + 1,
      frameBytes: before.frameBytes + frameBytes,
      work: before.work + FRAME_WORK + rows.count * rows.channels,
      samples: before.samples + rows.count,
      flagged,
      fromUs,
      toUs,
    };
  }

  /** What it would be if it ended now, from the width of buckets on at which they cost little beside the frames. */
  close(): Pick<StoredStretch, "samples" | "flagged" | "fromUs" | "toUs" | "levels"> {
    const { samples, flagged, frameBytes } = this.#counts;
    // Frames that stand for no sample take no time; they lie where the next sample would.
    const [fromUs, toUs] = samples > 0 ? [this.#counts.fromUs, this.#counts.toUs] : [this.#endUs, this.#endUs];
    let levels = this.packLevel();
    let level = this.#levels.level;
    while (levels.length > LEVEL_SHARE * frameBytes && level.count > LEAST_BUCKETS) {
      const wide = level.coarser(1);
      // A clock that jumps about leaves buckets that never meet.
      if (wide.count === level.count) break;
      level = wide;
      levels = this.packLevel(level);
    }
    return { samples, flagged, fromUs, toUs, levels };
  }

  /** As fine as it is, so that it can be gone on with. */
  packLevel(level = this.#levels.level): Uint8Array {
    return packLevel({ birthHash: this.plan.hash, runs: this.#runs.runs(), level }, this.#counts.fromUs);
  }
}
