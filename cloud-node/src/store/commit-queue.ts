import type { Clock, Timer } from "../clock.ts";
import { isFull, WaterMarks } from "../water-marks.ts";
import { BatchBuilder, deviceOf } from "./batch-builder.ts";
import type { CommitReply, FrameOp, FrameVerdict, Store, StoreRecord } from "./store.ts";
import { StoreError } from "./store-error.ts";

/** Who hands frames over, and hears what became of them. */
export interface CommitOwner {
  /** Key of the device that it writes for. */
  readonly device: number;
  /** Everything handed over up to the call of `mark(owner, token)` is durable. */
  durable(token: number): void;
  /** A frame was not added, because its key is taken, or because it was only to be compared. */
  notAdded(seq: number, op: FrameOp, verdict: FrameVerdict): void;
}

export interface CommitQueueOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** A batch is closed so long after its first write, ms. */
  readonly commitMs: number;
  /** Told of every commit that is durable: how long the store took, ms, and how many frames were in it. */
  onCommit?(elapsedMs: number, frames: number): void;
  /** Told of every failed commit; the batch is kept and tried again. */
  onFailure(error: StoreError): void;
  /**
   * Told of a device that can no longer be written, because a part of the store is damaged: what waited of it is given
   * up, nobody is told that it is durable, and nothing more of it is taken. All others go on.
   */
  onDamage?(device: number, error: StoreError): void;
  /** Told when more waits for the disk than should: those who send are to be held back. */
  onFull(): void;
  /** Told when that is over. */
  onRoom(): void;
}

/** Frames that wait for the disk from which on devices are held back: a quarter of a second at full speed. */
const HOLD_FRAMES = 5_000;
const FILLING_BYTES = 1 << 20;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

const NONE: ReadonlySet<number | undefined> = new Set();

/** One transaction in the making, and who waits for it. */
class OpenBatch {
  readonly builder = new BatchBuilder();
  /** Of each frame, by its row. */
  readonly origins: { readonly owner: CommitOwner; readonly op: FrameOp; readonly seq: number }[] = [];
  readonly tokens = new Map<CommitOwner, number>();
  /** Told true once it is settled, and false when it has to be tried again. */
  waiters: ((isSettled: boolean) => void)[] = [];
  readonly callbacks: { readonly device: number | undefined; readonly isCost: boolean; run(): void }[] = [];
}

/** A batch that the store refused as a whole for damage: device by device it shows whose part it is. */
interface Division {
  readonly batch: OpenBatch;
  readonly waiting: (number | undefined)[];
  readonly exceptions: CommitReply["exceptions"][number][];
  readonly damaged: Set<number | undefined>;
}

/**
 * Group commit: writes gather for a few milliseconds, then go to the store as one transaction while the next gather.
 * Owners hear of their writes only from the reply to the commit.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #marks: WaterMarks;
  #open = new OpenBatch();
  #inFlight: OpenBatch | undefined;
  /** Devices whose part of the store is damaged. */
  readonly #damaged = new Set<number | undefined>();
  /** Devices whose costs alone cannot be written any more: no reason to give up their frames. */
  readonly #uncounted = new Set<number | undefined>();
  #timer: Timer | undefined;
  #failure: StoreError | undefined;
  #retry: { readonly timer: Timer; now(): void } | undefined;
  #isDue = false;
  #isClosing = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: CommitQueueOptions) {
    this.#options = options;
    const { onFull, onRoom } = options;
    this.#marks = new WaterMarks({ holdFrames: HOLD_FRAMES, onFull, onRoom });
  }

  /** Why the last commit failed; undefined once one succeeded again. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** More waits for the disk than should: hand over no frame that can come again later. */
  get isFull(): boolean {
    return isFull(this.waitingFrames, this.waitingBytes);
  }

  /** Frames that wait for the disk, those of the commit that is under way included. */
  get waitingFrames(): number {
    return this.#open.builder.frameCount + (this.#inFlight?.builder.frameCount ?? 0);
  }

  /** Bytes of frames and of records that wait. */
  get waitingBytes(): number {
    return this.#open.builder.byteCount + (this.#inFlight?.builder.byteCount ?? 0);
  }

  /** Store a frame (`add`) or compare it with the stored one (`check`). The bytes are copied. */
  frame(
    owner: CommitOwner,
    op: FrameOp,
    key: { readonly device: number; readonly epoch: number },
    seq: number,
    bytes: Uint8Array,
  ): void {
    if (this.#damaged.has(key.device)) return;
    this.#open.builder.addFrame(op, key.device, key.epoch, seq, bytes);
    this.#open.origins.push({ owner, op, seq });
    this.#look();
    this.#arm();
  }

  /** Store a record; `onDurable` runs once it is. @returns false where it is given up: its part of the store is damaged */
  record(record: StoreRecord, onDurable?: () => void): boolean {
    const device = deviceOf(record);
    const isCost = record.table === "traffic";
    if (this.#damaged.has(device) || (isCost && this.#uncounted.has(device))) return false;
    this.#open.builder.addRecord(record);
    if (onDurable !== undefined) this.#open.callbacks.push({ device, isCost, run: onDurable });
    this.#arm();
    return true;
  }

  /** Tell `owner` with this token once everything handed over so far is durable. Replaces its token in this batch. */
  mark(owner: CommitOwner, token: number): void {
    if (this.#damaged.has(owner.device)) return;
    this.#open.tokens.set(owner, token);
    this.#arm();
  }

  /** Commit now rather than at the batch's time. */
  hurry(): void {
    this.#isDue = true;
    this.#send();
  }

  /** Much waits already that nobody waits for. */
  get isFilling(): boolean {
    return this.#open.builder.byteCount >= FILLING_BYTES;
  }

  /**
   * Commit now.
   *
   * @returns once everything handed over so far is durable or given up; false when the store refused it for now: it is
   * tried again, and nobody waits for that
   */
  async flush(): Promise<boolean> {
    this.hurry();
    const last = this.#open.builder.isEmpty ? this.#inFlight : this.#open;
    if (last === undefined) return true;
    if (this.#retry !== undefined) return false;
    return await new Promise<boolean>((resolve) => last.waiters.push(resolve));
  }

  /**
   * Commit what is left.
   *
   * @returns false when the store refused it: then some writes were never durable, and nobody was told they were
   */
  async close(): Promise<boolean> {
    this.#isClosing = true;
    this.hurry();
    this.#retry?.timer.cancel();
    this.#retry?.now();
    if (this.#inFlight !== undefined) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    return this.#open.builder.isEmpty && this.#inFlight === undefined;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#isDue) return;
    this.#timer = this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      this.#isDue = true;
      this.#send();
    }, this.#options.commitMs);
  }

  #send(): void {
    if (!this.#isDue || this.#inFlight !== undefined) return;
    this.#isDue = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#open.builder.isEmpty && this.#open.tokens.size === 0) {
      this.#idle();
      return;
    }
    const batch = this.#open;
    this.#open = new OpenBatch();
    this.#inFlight = batch;
    // What came of a device while it was found damaged.
    const damaged =
      this.#damaged.size === 0 ? NONE : new Set(batch.builder.devices().filter((device) => this.#damaged.has(device)));
    if (damaged.size === 0) this.#commit(batch, FIRST_RETRY_MS);
    else this.#divide(divisionOf(batch, damaged), FIRST_RETRY_MS);
  }

  #commit(batch: OpenBatch, retryMs: number): void {
    this.#retry = undefined;
    const { store, clock } = this.#options;
    const startedMs = clock.nowMs();
    store.commit(batch.builder.build()).then(
      (reply) => {
        this.#failure = undefined;
        this.#options.onCommit?.(clock.nowMs() - startedMs, batch.builder.frameCount);
        this.#settle(batch, reply);
      },
      (cause: unknown) => {
        const error = this.#failed(cause);
        if (error.code !== "corrupt") {
          this.#later(retryMs, (next) => this.#commit(batch, next));
          return;
        }
        // Damage does not heal: whoever it concerns is given up, so that all others go on.
        this.#divide(divisionOf(batch, NONE), FIRST_RETRY_MS);
      },
    );
  }

  /** Commit what is left of a divided batch, one device after the other. */
  #divide(division: Division, retryMs: number): void {
    this.#retry = undefined;
    const { batch, waiting, exceptions, damaged } = division;
    if (waiting.length === 0) {
      this.#settle(batch, { exceptions }, damaged);
      return;
    }
    const [device] = waiting;
    const isCounted = !this.#uncounted.has(device);
    const part = batch.builder.part(device, isCounted);
    const next = () => {
      waiting.shift();
      this.#divide(division, FIRST_RETRY_MS);
    };
    this.#options.store.commit(part.batch).then(
      (reply) => {
        this.#failure = undefined;
        for (const { row, verdict } of reply.exceptions) exceptions.push({ row: part.rows[row] ?? 0, verdict });
        next();
      },
      (cause: unknown) => {
        const error = this.#failed(cause);
        if (error.code !== "corrupt") {
          this.#later(retryMs, (later) => this.#divide(division, later));
          return;
        }
        if (isCounted && batch.builder.counts(device)) {
          // Maybe only what it cost cannot be written: then all else of it can.
          this.#uncounted.add(device);
          this.#divide(division, FIRST_RETRY_MS);
          return;
        }
        damaged.add(device);
        if (device !== undefined) {
          this.#damaged.add(device);
          this.#options.onDamage?.(device, error);
        }
        next();
      },
    );
  }

  #failed(cause: unknown): StoreError {
    const error = cause instanceof StoreError ? cause : new StoreError("failed", { detail: String(cause) }, { cause });
    this.#failure = error;
    this.#options.onFailure(error);
    return error;
  }

  #later(retryMs: number, again: (nextRetryMs: number) => void): void {
    for (const batch of [this.#inFlight, this.#open]) if (batch !== undefined) tell(batch, false);
    if (this.#isClosing) {
      this.#idle();
      return;
    }
    const now = () => again(Math.min(2 * retryMs, LONGEST_RETRY_MS));
    this.#retry = { timer: this.#options.clock.setTimer(now, retryMs), now };
  }

  #settle(batch: OpenBatch, reply: CommitReply, damaged: ReadonlySet<number | undefined> = NONE): void {
    this.#inFlight = undefined;
    for (const { row, verdict } of reply.exceptions) {
      const origin = batch.origins[row];
      origin?.owner.notAdded(origin.seq, origin.op, verdict);
    }
    for (const [owner, token] of batch.tokens) if (!damaged.has(owner.device)) owner.durable(token);
    for (const { device, isCost, run } of batch.callbacks) {
      if (!damaged.has(device) && !(isCost && this.#uncounted.has(device))) run();
    }
    tell(batch, true);
    if (this.#isClosing) this.#isDue = true;
    this.#send();
    this.#look();
  }

  #look(): void {
    this.#marks.look(this.waitingFrames, this.waitingBytes);
  }

  #idle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

function divisionOf(batch: OpenBatch, damaged: ReadonlySet<number | undefined>): Division {
  const waiting = batch.builder.devices().filter((device) => !damaged.has(device));
  return { batch, waiting, exceptions: [], damaged: new Set(damaged) };
}

function tell(batch: OpenBatch, isSettled: boolean): void {
  const { waiters } = batch;
  batch.waiters = [];
  for (const waiter of waiters) waiter(isSettled);
}
