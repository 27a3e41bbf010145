import type { SequencedFrame } from "@lockstep/protocol";
import { birthOf, shiftOf } from "../levels/level-codec.ts";
import { unlessDamaged } from "../store/damage.ts";
import { fillsPages } from "../store/frame-pack.ts";
import type { StoredStretch, StoreReader, StoreRecord } from "../store/store.ts";
import { OpenStretch } from "./open-stretch.ts";
import type { RowBuffer } from "./row-buffer.ts";
import { StretchTiers } from "./stretch-tiers.ts";
import type { PlanLookup, Twin } from "./twin.ts";

/**
 * A stretch ends with a snapshot, which costs bytes, so it is due when the frames are worth so many snapshots …
 * (`npm run bench -- history`: bytes of the store, and the time to read a minute.)
 */
const SNAPSHOTS_WORTH = 5;
/** … and a replay of them is no longer a trifle: about 10 ms. What costs next to nothing to send is not told twice. */
const WORK_WORTH = 40_000;
/** But a replay never takes longer than this, about 50 ms. */
const WORK_MOST = 200_000;
/** The open stretch is written each time a replay of what is new would take this long, about 5 ms. */
const TAIL_WORK = 16_000;
/** At a keyframe a snapshot is a header alone, so that a stretch may end sooner. */
const KEYFRAME_BYTES = 2_048;
const KEYFRAME_WORK = 10_000;

/** Where an epoch is written to. */
export interface StretchPlace {
  readonly device: number;
  readonly epoch: number;
  readonly plans: PlanLookup;
  write(record: StoreRecord): void;
  unixUs(): number;
}

/**
 * Divides an epoch into stretches as its frames are taken, and writes each with its level once it is closed; now and then
 * it writes how far the open one has come, in the place of what it wrote before. All that is written follows from the
 * frames, and goes to the store in one transaction with the last of them: after a kill at any moment it is there whole or
 * not at all, and the frames behind it give the rest again.
 */
export class StretchKeeper {
  readonly #place: StretchPlace;
  readonly #tiers: StretchTiers;
  /** Seq of the open stretch's first frame, those lost before it included. */
  #from = 0;
  #open: OpenStretch | undefined;
  /** Of the buckets that the next stretch begins with. */
  #shift = 0;
  #tailWork = 0;
  /** Of the snapshot before the open stretch. */
  #startBytes = 0;
  /** Stored frames from here to the next keyframe are damaged. */
  #damagedFrom: number | undefined;

  constructor(place: StretchPlace) {
    this.#place = place;
    this.#tiers = new StretchTiers((stretch) => this.#write(stretch, 0));
  }

  /**
   * Go on where the store ends, or where it can be read last. The frames behind it follow by `taken`, from `twin.next` on.
   *
   * @param twin  as new; it is moved as far as the store allows
   * @returns false when what is stored of the twin is not ours, and the frames have to do
   */
  resume(reader: StoreReader, twin: Twin): boolean {
    const { device, epoch } = this.#place;
    unlessDamaged(() => this.#tiers.resume(reader, device, epoch));
    const last = unlessDamaged(() => reader.lastStretch(device, epoch, 0));
    if (last !== undefined) this.#shiftAfter(last.levels);
    // A snapshot that cannot be read follows from the last stretch.
    const start =
      unlessDamaged(() => reader.snapshot(device, epoch)) ??
      unlessDamaged(() => (last === undefined ? undefined : reader.stretchStart(device, epoch, last.from)));
    const isStarted = start === undefined || twin.restore(start.state, start.seq);
    this.#from = twin.next;
    this.#startBytes = start?.state.length ?? 0;
    const tail = unlessDamaged(() => reader.tail(device, epoch));
    if (tail === undefined || tail.from !== this.#from || !hasFrames(reader, device, epoch, tail.next))
      return isStarted;
    const plan = this.#place.plans(birthOf(tail.levels));
    const open = plan === undefined ? undefined : unlessDamaged(() => OpenStretch.resume(plan, tail));
    if (open === undefined || !twin.restore(tail.state, tail.next)) return false;
    this.#open = open;
    this.#tailWork = tail.work;
    return isStarted;
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
    this.#open ??= OpenStretch.begin(plan, this.#shift);
    const open = this.#open;
    open.add(twin, rows, frameBytes, frame.kind !== "heartbeat" && frame.hasEvents);
    const { work, frames, frameBytes: bytes } = open.counts;
    if (work < this.#tailWork + TAIL_WORK && work < WORK_WORTH) return;
    const state = twin.snapshot();
    if (state === undefined) return;
    const isWorth = work >= WORK_WORTH && bytes >= SNAPSHOTS_WORTH * state.length;
    if (work >= WORK_MOST || (isWorth && fillsPages(this.#startBytes, frames, bytes, frameBytes))) {
      this.#close(seq, state, seq + 1);
    } else if (work >= this.#tailWork + TAIL_WORK) this.#writeTail(open, state, seq + 1);
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
    return (
      open.plan.hash !== birthHash || open.counts.frameBytes >= KEYFRAME_BYTES || open.counts.work >= KEYFRAME_WORK
    );
  }

  #close(through: number, state: Uint8Array, next: number): void {
    const open = this.#open;
    this.#open = undefined;
    this.#tailWork = 0;
    const { device, epoch, write } = this.#place;
    if (open !== undefined) {
      const stretch = { epoch, tier: 0, from: this.#from, through, ...open.close() };
      this.#write(stretch, open.counts.frames);
      this.#tiers.add(stretch);
      this.#shiftAfter(stretch.levels);
    }
    write({ table: "snapshot", device, epoch, seq: next, state });
    this.#damagedFrom = undefined;
    this.#from = next;
    this.#startBytes = state.length;
  }

  /** One step finer than what paid last, so that it can become so again. */
  #shiftAfter(levels: Uint8Array): void {
    const shift = shiftOf(levels);
    this.#shift = Number.isFinite(shift) ? shift - 1 : 0;
  }

  #writeTail(open: OpenStretch, state: Uint8Array, next: number): void {
    const { device, epoch, write } = this.#place;
    const { counts } = open;
    if (counts.samples === 0) return;
    this.#tailWork = counts.work;
    write({ table: "tail", device, epoch, from: this.#from, next, ...counts, levels: open.packLevel(), state });
  }

  #write(stretch: StoredStretch, frames: number): void {
    const { device, write, unixUs } = this.#place;
    write({ table: "stretch", device, frames, closedUs: unixUs(), ...stretch });
  }
}

/** Behind a tail with no frame the newest samples would be unknown: the stretch is replayed whole then. */
function hasFrames(reader: StoreReader, device: number, epoch: number, from: number): boolean {
  const first = unlessDamaged(() => {
    for (const frame of reader.frames(device, epoch, from)) return frame;
    return undefined;
  });
  return first !== undefined;
}
