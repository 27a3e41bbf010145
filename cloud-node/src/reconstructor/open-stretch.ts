import { gridShift, LEAST_STORED_SHIFT } from "../levels/bucket-place.ts";
import { type FlagRun, FlagRuns } from "../levels/flag-runs.ts";
import { LevelBuilder, type LevelShape } from "../levels/level-builder.ts";
import { packLevel } from "../levels/level-codec.ts";
import type { BirthPlan } from "./birth-plan.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { Twin } from "./twin.ts";

/** What buckets of this width are made of, for samples of a birth. */
export function levelShape({ birth }: BirthPlan, bucketShift: number): LevelShape {
  return {
    channels: birth.channels.length,
    periodUs: birth.periodNs / 1000,
    gridShifts: birth.channels.map(({ e }) => gridShift(e, bucketShift)),
  };
}

/** Levels take no more than this part of the bytes of the frames that they are made of. */
const LEVEL_SHARE = 1 / 10;
/** No bucket holds less than this many parts of its stretch: wider ones save next to nothing. */
const LEAST_BUCKETS = 4;
/** A replay takes about as long for a frame, whatever is in it, as for so many channel-samples. */
const FRAME_WORK = 60;

/** The stretch of an epoch that still grows: what is known of its frames when it is closed. */
export class OpenStretch {
  readonly plan: BirthPlan;
  frames = 0;
  frameBytes = 0;
  /** What a replay of it takes, in channel-samples. */
  work = 0;
  samples = 0;
  flagged = 0;
  /** Device time of its first sample and after its last one, µs; a clock that went back does not narrow it. */
  fromUs = Number.POSITIVE_INFINITY;
  toUs = 0;
  readonly #levels: LevelBuilder;
  readonly #runs: FlagRuns;

  constructor(plan: BirthPlan) {
    this.plan = plan;
    const shape = levelShape(plan, LEAST_STORED_SHIFT);
    this.#levels = new LevelBuilder(shape, LEAST_STORED_SHIFT);
    this.#runs = new FlagRuns(shape.channels, shape.periodUs);
  }

  /** A frame was taken; its rows are in the buffer. */
  add(twin: Twin, rows: RowBuffer, frameBytes: number, hasEvents: boolean): void {
    this.frames += 1;
    this.frameBytes += frameBytes;
    this.work += FRAME_WORK + rows.count * rows.channels;
    this.samples += rows.count;
    if (rows.count === 0) return;
    const timeUs = (row: number) => twin.rowTimeUs(row);
    this.#levels.add(rows, timeUs);
    this.#runs.add(rows, timeUs, hasEvents);
    if (hasEvents) {
      for (let i = 0; i < rows.count * rows.channels; i++) this.flagged += rows.statuses[i] === 0 ? 0 : 1;
    }
    this.fromUs = Math.min(this.fromUs, timeUs(0), Number.MAX_SAFE_INTEGER);
    const endUs = Math.ceil(timeUs(rows.count - 1) + this.plan.birth.periodNs / 1000);
    // A device may claim any time; a larger number could be stored, but not read back.
    this.toUs = Math.min(Math.max(this.toUs, endUs), Number.MAX_SAFE_INTEGER);
  }

  /** Its level, from the width of buckets on at which it costs little beside the frames. */
  packLevel(): Uint8Array {
    let level = this.#levels.level;
    const runs: readonly FlagRun[] = this.#runs.runs();
    const stored = { birthHash: this.plan.hash, runs };
    let packed = packLevel({ ...stored, level }, this.fromUs);
    while (packed.length > LEVEL_SHARE * this.frameBytes && level.count > LEAST_BUCKETS) {
      const wide = level.coarser(1);
      // A clock that jumps about leaves buckets that never meet.
      if (wide.count === level.count) break;
      level = wide;
      packed = packLevel({ ...stored, level }, this.fromUs);
    }
    return packed;
  }
}
