import {
  murmur3,
  type ResyncFrame,
  type SeqRange,
  type SequencedFrame,
  type StatusFrame,
  WINDOW_FRAMES,
} from "@lockstep/protocol";
import type { CommitOwner } from "../store/commit-queue.ts";
import { isDamage, unlessDamaged } from "../store/damage.ts";
import type { FrameOp, FrameVerdict, GapReason, StoredGap, StoreReader } from "../store/store.ts";
import { Acknowledger } from "./acknowledger.ts";
import { ArrivalWindow, type EarlyFrame, GRACE_MS } from "./arrival-window.ts";
import { frameFlags } from "./frame-flags.ts";
import { gapTimes } from "./gap-times.ts";
import { LaneLedger } from "./lane-ledger.ts";
import type { LaneSurroundings } from "./lane-surroundings.ts";
import { replay } from "./replay.ts";
import { StretchKeeper } from "./stretch-keeper.ts";
import { type TakeOutcome, Twin } from "./twin.ts";
import { WaitingTurns } from "./waiting-turns.ts";

interface OpenGap {
  readonly from: number;
  readonly reason: GapReason;
}

/** Frames that are replayed between two pauses: some ten milliseconds. */
const STEP_FRAMES = 1_000;
/** A keyframe that was asked for is asked for again after this long: the question, or the answer, may have been lost. */
const RESYNC_AGAIN_MS = 1_000;

/**
 * One epoch of one device on its way in:
 *
 *     arrives ──▶ early? wait in the window, ask for the hole ──▶ its turn: decode, prove by the seal
 *                                                                    │ no: ask again; twice: resync
 *     acknowledged ◀── confirmed: durable, and so is all before ◀── to the store
 *
 * What the device is told comes from the commit's reply alone.
 */
export class Lane implements CommitOwner {
  readonly epoch: number;
  readonly ledger = new LaneLedger();
  readonly #around: LaneSurroundings;
  readonly #storeKey: { readonly device: number; readonly epoch: number };
  readonly #twin: Twin;
  readonly #window = new ArrivalWindow();
  /** Set from a loss until the keyframe after it. */
  #gap: OpenGap | undefined;
  /** The device has nothing below this seq any more. */
  #lostBelow = 0;
  #evictedSamples = 0;
  /** The last status asked to hear when everything below this seq is confirmed; 0: nobody asks. */
  #askedThrough = 0;
  #failed: { readonly seq: number; readonly print: number } | undefined;
  #resyncDueMs = Number.NEGATIVE_INFINITY;
  readonly #acknowledger: Acknowledger;
  readonly #stretches: StretchKeeper;
  readonly #turns: WaitingTurns;

  constructor(epoch: number, around: LaneSurroundings) {
    this.epoch = epoch;
    this.#around = around;
    this.#turns = new WaitingTurns(around.counters, around.decoding);
    this.#storeKey = { device: around.key, epoch };
    this.#twin = new Twin(around.device, epoch, around.plans, around.rows);
    this.#stretches = new StretchKeeper({
      ...this.#storeKey,
      plans: around.plans,
      write: (record) => around.commits.record(record),
      unixUs: () => around.clock.unixUs(),
    });
    this.#acknowledger = new Acknowledger({
      clock: around.clock,
      acks: around.acks,
      window: this.#window,
      send: (missing) => this.#acknowledge(missing),
    });
  }

  /** Key of its device. */
  get device(): number {
    return this.#storeKey.device;
  }

  get twin(): Twin {
    return this.#twin;
  }

  /** Seq below which everything is confirmed. */
  get confirmed(): number {
    return this.ledger.confirmed;
  }

  /** The seq nearest to which a frame's short position is read. */
  get expected(): number {
    return this.#twin.next;
  }

  /** Whether nothing waits: neither for the disk nor for its turn. */
  get isIdle(): boolean {
    return this.ledger.isSettled && this.#window.isEmpty && this.#acknowledger.isIdle && !this.#turns.isHeld;
  }

  get hasHoles(): boolean {
    return this.#window.hasHoles;
  }

  get isInGap(): boolean {
    return this.#gap !== undefined;
  }

  /** Bring back what the store knows of this epoch; what it cannot read any more is as good as lost, and no more. */
  rebuild(reader: StoreReader): void {
    for (const _ of this.rebuildInSteps(reader));
  }

  /** The same, with a pause after every so many frames. @returns gives the frames taken by then */
  *rebuildInSteps(reader: StoreReader): Generator<number> {
    const { key, counters } = this.#around;
    const twin = this.#twin;
    if (!this.#stretches.resume(reader, twin)) counters.add("snapshot.ignored");
    const expired = unlessDamaged(() => reader.expiries(key))?.find(({ epoch }) => epoch === this.epoch);
    if (expired !== undefined && expired.through >= twin.next) {
      this.#gap = { from: expired.through + 1, reason: "state-mismatch" };
      twin.skipTo(expired.through + 1);
    }
    const gaps = (unlessDamaged(() => reader.gaps(key)) ?? []).filter(({ epoch }) => epoch === this.epoch);
    const damagedFrom = yield* this.#replay(reader, gaps);
    if (damagedFrom !== undefined) {
      counters.add("store.damaged");
      this.#gap = { from: damagedFrom, reason: "state-mismatch" };
      this.#stretches.damaged(damagedFrom);
      // Where they cannot even be counted, the device says what it has not any more.
      unlessDamaged(() => {
        for (const { seq } of reader.frames(key, this.epoch, damagedFrom)) twin.skipTo(seq + 1);
      });
    }
    const last = gaps.at(-1);
    if (last !== undefined && last.through >= twin.next) {
      this.#gap = { from: last.from, reason: last.reason };
      twin.skipTo(last.through + 1);
    }
    this.ledger.rebuilt(twin, gaps);
  }

  /** Take the stored frames again. @returns seq of the first one that gives nothing any more */
  *#replay(reader: StoreReader, gaps: readonly StoredGap[]): Generator<number, number | undefined> {
    const { key, rows } = this.#around;
    const twin = this.#twin;
    let taken = 0;
    try {
      const steps = replay(twin, reader, key, gaps);
      let step = steps.next();
      for (; !step.done; step = steps.next()) {
        const { frame, frameBytes, cold } = step.value;
        this.ledger.replayed(twin, rows);
        this.#stretches.taken(twin, rows, frame, frameBytes, cold);
        this.#gap = undefined;
        taken += 1;
        if (taken % STEP_FRAMES === 0) yield taken;
      }
      return step.value.kind === "damaged" ? step.value.seq : undefined;
    } catch (error) {
      if (isDamage(error)) return twin.next;
      throw error;
    }
  }

  /** Take a frame in, at the seq that its position stands for. */
  receive(seq: number, frame: SequencedFrame, bytes: Uint8Array, nowMs: number): void {
    if (this.#turns.wait(bytes.length, () => this.receive(seq, frame, bytes, nowMs))) return;
    const early: EarlyFrame = { frame, bytes, receivedMs: nowMs };
    if (seq < this.#twin.next) {
      this.#around.commits.frame(this, "check", this.#storeKey, seq, bytes);
      return;
    }
    if (seq > this.#twin.next) {
      const outcome = this.#window.hold(seq, this.#twin.next, early);
      if (outcome !== "held")
        this.#around.counters.add(outcome === "again" ? "frames.duplicate" : "frames.beyond-window");
      this.#acknowledger.watchHoles(GRACE_MS);
      return;
    }
    if (this.#step(early)) this.#drain();
  }

  /** Hear what the device still holds: some frames may be lost for good, some may be on their way. */
  status(frame: StatusFrame, nowMs: number): void {
    if (this.#turns.wait(0, () => this.status(frame, nowMs))) return;
    const { oldest, next, evicted } = frame;
    this.#evictedSamples = evicted;
    if (oldest > this.#twin.next) {
      this.#lostBelow = oldest;
      this.#drain();
    }
    this.#window.expect(this.#twin.next, next, nowMs);
    const gap = this.#gap;
    if (gap !== undefined && gap.reason !== "evicted") {
      this.#around.reply({ kind: "resync", epoch: this.epoch, seq: gap.from, reason: gap.reason });
    }
    if (this.ledger.isSettled) this.#acknowledger.now();
    else this.#acknowledger.withNext();
    this.#askedThrough = next;
    this.#acknowledger.watchHoles(GRACE_MS);
  }

  durable(through: number): void {
    const { frames, samples } = this.ledger.confirm(through, this.#around.clock.nowMs());
    if (frames === 0) return;
    this.#around.emit({
      kind: "confirmed",
      device: this.#around.device,
      epoch: this.epoch,
      seq: this.confirmed,
      samples,
    });
    if (this.#askedThrough > 0 && this.confirmed >= this.#askedThrough) {
      this.#askedThrough = 0;
      this.#acknowledger.withNext();
    }
    this.#acknowledger.confirmed(frames);
  }

  notAdded(seq: number, op: FrameOp, verdict: FrameVerdict): void {
    const { counters, device } = this.#around;
    if (verdict === "conflict") {
      counters.add("frames.conflict");
      this.ledger.conflicts += 1;
      this.#around.emit({ kind: "conflict", device, epoch: this.epoch, seq });
      // Decoded, but not what is stored there: somebody else writes this epoch.
      if (op === "add") {
        this.ledger.stopBefore(seq);
        this.#around.refuse("conflict");
      }
      return;
    }
    counters.add(verdict === "duplicate" ? "frames.duplicate" : "frames.given-up");
    if (verdict === "duplicate") this.ledger.duplicates += 1;
    this.#acknowledger.soon();
  }

  /** Another boot began: what it still has of this epoch it will say by a status, and send again. */
  superseded(): void {
    this.#window.clear();
    this.#turns.clear();
    this.finish();
  }

  /** Nothing more is to be expected soon. */
  finish(): void {
    this.#stretches.finish(this.#twin);
  }

  /** Let go of all timers. @param isLost  what waits for its commit never gets there */
  close(isLost = false): void {
    this.#acknowledger.close();
    this.#turns.close();
    if (isLost) this.ledger.discard();
  }

  #acknowledge(holes: readonly SeqRange[]): void {
    const { device } = this.#around;
    // More cannot be on its way; the rest is asked for when these have come.
    const missing = holes.map(({ from, count }) => ({ from, count: Math.min(count, WINDOW_FRAMES) }));
    this.#around.reply({ kind: "ack", epoch: this.epoch, through: this.confirmed, missing });
    for (const { from, count } of missing) {
      this.#around.emit({ kind: "gap-pending", device, epoch: this.epoch, from, count });
    }
  }

  #drain(): void {
    for (;;) {
      const next = this.#twin.next;
      const early = this.#window.release(next);
      if (early !== undefined) {
        if (!this.#step(early)) return;
      } else if (next < this.#lostBelow) {
        this.#giveUp(this.#window.first(this.#lostBelow), "evicted");
      } else {
        return;
      }
    }
  }

  /** Take the frame whose turn it is. @returns whether the turn passed on */
  #step(early: EarlyFrame): boolean {
    const { frame, bytes } = early;
    const seq = this.#twin.next;
    const gap = this.#gap;
    if (gap !== undefined && frame.kind !== "keyframe") {
      // The frames before were confirmed to the device, by a store that no longer has them, or its keyframe was lost.
      if (early.receivedMs >= this.#resyncDueMs) this.#resync(seq, gap.reason);
      this.#giveUp(seq + 1, gap.reason);
      return true;
    }
    const lost = gap !== undefined && frame.kind === "keyframe" ? this.#lostSamples(frame.timeUs) : 0;
    const cold = frame.kind === "keyframe" ? this.#twin.snapshot(true) : undefined;
    const { decoding } = this.#around;
    if (decoding === undefined || frame.kind === "keyframe")
      return this.#stepped(early, this.#twin.take(frame, bytes, lost), lost, cold);
    const outcome = decoding.take(this.#twin, this.device, frame, bytes, (later) =>
      this.#turns.release(() => this.#stepped(early, later) && this.#drain()),
    );
    if (outcome === undefined) this.#turns.hold();
    return outcome !== undefined && this.#stepped(early, outcome);
  }

  /** @param cold  of a keyframe: the snapshot before it. @returns whether the turn passed on */
  #stepped(early: EarlyFrame, outcome: TakeOutcome, lost = 0, cold?: Uint8Array): boolean {
    const { frame, bytes } = early;
    const gap = this.#gap;
    if (outcome !== "taken") {
      this.#around.counters.add(`frames.${outcome}`);
      return this.#fail(early, outcome === "unknown-birth" ? "unknown-birth" : "state-mismatch");
    }
    const seq = this.#twin.next - 1;
    this.#window.done(seq);
    // Rows first, events last: a listener that looks at a twin overwrites the rows, which all twins share.
    this.ledger.taken(this.#twin, this.#around.rows, early);
    this.#stretches.taken(this.#twin, this.#around.rows, frame, bytes.length, cold);
    const flags = frameFlags(frame, this.#around.rows);
    if (gap !== undefined && frame.kind === "keyframe") this.#closeGap(gap, seq - 1, lost, frame.timeUs);
    this.#around.commits.frame(this, "add", this.#storeKey, seq, bytes);
    this.#around.commits.mark(this, seq + 1);
    for (const { kind, count } of flags) {
      this.#around.emit({ kind, device: this.#around.device, epoch: this.epoch, seq, count });
    }
    return true;
  }

  /**
   * The frame whose turn it is did not prove itself. Once may be damage on the way, so it is asked for again; if the
   * very same bytes come as the answer, the ends have parted, and only a keyframe helps: then the turn passes on.
   */
  #fail({ bytes, receivedMs }: EarlyFrame, reason: GapReason & ResyncFrame["reason"]): boolean {
    const seq = this.#twin.next;
    const print = murmur3(0, bytes);
    const isAnswer =
      this.#window.wasAsked(seq, receivedMs) && this.#failed?.seq === seq && this.#failed.print === print;
    if (!isAnswer) {
      this.#failed = { seq, print };
      this.#window.reopen(seq, receivedMs);
      this.#acknowledger.watchHoles(0);
      return false;
    }
    this.#resync(seq, reason);
    this.#giveUp(seq + 1, reason);
    return true;
  }

  /** Ask for a keyframe instead of the frame at `seq`, which is of no use without those before it. */
  #resync(seq: number, gapReason: GapReason): void {
    const reason = gapReason === "evicted" ? "frames-lost" : gapReason;
    const { counters, device, clock, emit, reply } = this.#around;
    this.#resyncDueMs = clock.nowMs() + RESYNC_AGAIN_MS;
    counters.add("resyncs");
    emit({ kind: "resync", device, epoch: this.epoch, seq, reason });
    reply({ kind: "resync", epoch: this.epoch, seq, reason });
  }

  /** Frames below `next` are lost for good. */
  #giveUp(next: number, reason: GapReason): void {
    const gap = this.#gap ?? { from: this.#twin.next, reason };
    this.#gap = gap;
    this.#twin.skipTo(next);
    this.#window.skip(next);
    this.#recordGap(gap, next - 1, 0);
    this.#around.commits.mark(this, next);
    this.#acknowledger.withNext();
  }

  #closeGap(gap: OpenGap, through: number, samples: number, keyframeTimeUs: number): void {
    this.#gap = undefined;
    this.#recordGap(gap, through, samples, keyframeTimeUs);
    this.ledger.gaps += 1;
    this.#around.emit({
      kind: "gap-lost",
      device: this.#around.device,
      epoch: this.epoch,
      from: gap.from,
      through,
      samples,
      reason: gap.reason,
    });
  }

  #recordGap({ from, reason }: OpenGap, through: number, samples: number, keyframeTimeUs?: number): void {
    const { birth } = this.#twin.plan ?? {};
    const isClosed = keyframeTimeUs !== undefined && birth !== undefined;
    const times = isClosed ? gapTimes(samples, keyframeTimeUs, birth.periodNs) : undefined;
    this.#around.commits.record({ table: "gap", ...this.#storeKey, from, through, reason, samples, times });
  }

  /** Before the first keyframe of an epoch only the device can say how much it dropped. */
  #lostSamples(keyframeTimeUs: number): number {
    return this.#twin.plan === undefined ? this.#evictedSamples : this.#twin.samplesUntil(keyframeTimeUs);
  }
}
