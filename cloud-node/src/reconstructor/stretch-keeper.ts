import type { SequencedFrame } from "@lockstep/protocol";
import type { StoredStretch, StoreReader, StoreRecord } from "../store/store.ts";
import { OpenStretch } from "./open-stretch.ts";
import type { RowBuffer } from "./row-buffer.ts";
import { StretchTiers } from "./stretch-tiers.ts";
import type { Twin } from "./twin.ts";

/**
 * A stretch ends with a snapshot, which costs bytes, so it is due when the frames are worth so many snapshots …
 * (`npm run bench -- history`: bytes of the store, and the time to read a minute.)
 */
const SNAPSHOTS_WORTH = 5;
/** … and a replay of them is no longer a trifle: about 10 ms. What costs next to nothing to send is not told twice. */
const WORK_WORTH = 40_000;
/** But a replay never takes longer than this, about 50 ms. */
const WORK_MOST = 200_000;
/** At a keyframe a snapshot is a header alone, so that a stretch may end sooner. */
const KEYFRAME_BYTES = 2_048;
const KEYFRAME_WORK = 10_000;

/** Where an epoch is written to. */
export interface StretchPlace {
  readonly device: number;
  readonly epoch: number;
  write(record: StoreRecord): void;
  unixUs(): number;
}

/**
 * Divides an epoch into stretches as its frames are taken, and writes each with its level once it is closed. All that is
 * written follows from the frames, and goes to the store in one transaction with the last of them; so a stretch is there
 * whole or not at all, and after a restart the replay of the frames behind the newest one gives the open one again.
 */
export class StretchKeeper {
  readonly #place: StretchPlace;
  readonly #tiers: StretchTiers;
  /** Seq of the open stretch's first frame, those lost before it included. */
  #from = 0;
  #open: OpenStretch | undefined;
  /** Stored frames from here to the next keyframe are damaged. */
  #damagedFrom: number | undefined;

  constructor(place: StretchPlace) {
    this.#place = place;
    this.#tiers = new StretchTiers((stretch) => this.#write(stretch, 0));
  }

  /** Go on where the store ends; the frames behind it follow by `taken`. @param from  seq of the first of them */
  resume(reader: StoreReader, from: number): void {
    this.#from = from;
    this.#tiers.resume(reader, this.#place.device, this.#place.epoch);
  }

  /** Stored frames from `seq` on give nothing any more; a keyframe comes next. */
  damaged(seq: number): void {
    this.#damagedFrom = seq;
  }

  /**
   * A frame was taken; its rows are in the buffer.
   *
   * @param cold  of a keyframe: the snapshot before it, without a codec state
   */
  taken(twin: Twin, rows: RowBuffer, frame: SequencedFrame, frameBytes: number, cold: Uint8Array | undefined): void {
    const plan = twin.plan;
    if (plan === undefined) return;
    const seq = twin.next - 1;
    if (cold !== undefined && this.#isCutBy(plan.hash)) this.#close((this.#damagedFrom ?? seq) - 1, cold, seq);
    this.#open ??= new OpenStretch(plan);
    this.#open.add(twin, rows, frameBytes, frame.kind !== "heartbeat" && frame.hasEvents);
    const { work, frameBytes: bytes } = this.#open;
    if (work < WORK_WORTH) return;
    const state = twin.snapshot();
    if (state === undefined) return;
    if (work >= WORK_MOST || bytes >= SNAPSHOTS_WORTH * state.length) this.#close(seq, state, seq + 1);
  }

  /** Nothing more is to be expected of this epoch soon: close what is open. */
  finish(twin: Twin): void {
    const state = twin.snapshot();
    if (state !== undefined && this.#open !== undefined && this.#damagedFrom === undefined) {
      this.#close(twin.next - 1, state, twin.next);
    }
  }

  /** Whether a keyframe of this birth ends the open stretch. */
  #isCutBy(birthHash: string): boolean {
    if (this.#damagedFrom !== undefined) return true;
    const open = this.#open;
    if (open === undefined) return false;
    return open.plan.hash !== birthHash || open.frameBytes >= KEYFRAME_BYTES || open.work >= KEYFRAME_WORK;
  }

  #close(through: number, state: Uint8Array, next: number): void {
    const open = this.#open;
    const { device, epoch, write } = this.#place;
    if (open !== undefined && open.samples === 0 && this.#damagedFrom === undefined) {
      // Frames that count nothing leave no time that a stretch could have; they stay with those that follow.
      this.#open = undefined;
      return;
    }
    if (open !== undefined && open.samples > 0) {
      const { samples, flagged, fromUs, toUs } = open;
      const levels = open.packLevel();
      const stretch = { epoch, tier: 0, from: this.#from, through, fromUs, toUs, samples, flagged, levels };
      this.#write(stretch, open.frames);
      this.#tiers.add(stretch);
    }
    write({ table: "snapshot", device, epoch, seq: next, state });
    this.#open = undefined;
    this.#damagedFrom = undefined;
    this.#from = next;
  }

  #write(stretch: StoredStretch, frames: number): void {
    const { device, write, unixUs } = this.#place;
    write({ table: "stretch", device, frames, closedUs: unixUs(), ...stretch });
  }
}
