import { MAX_MISSING_RANGES, type SeqRange, type SequencedFrame, WINDOW_FRAMES } from "@lockstep/protocol";

/** A frame that waits for those before it. */
export interface EarlyFrame {
  readonly frame: SequencedFrame;
  readonly bytes: Uint8Array;
  readonly receivedMs: number;
}

interface Hole {
  /** When it was noticed, and when and how often it was asked for. */
  readonly sinceMs: number;
  askedMs: number;
  asks: number;
}

/** What to ask for now, and when to look again. */
export interface MissingReport {
  readonly ranges: SeqRange[];
  /** Milliseconds until another hole becomes due; undefined when there is none. */
  readonly againMs: number | undefined;
}

/** A hole may be mere reordering: it is asked for after this long. */
export const GRACE_MS = 20;
/** Asked again after this long, twice as long each time. */
const FIRST_ASK_AGAIN_MS = 250;
const LONGEST_ASK_AGAIN_MS = 4_000;
/** Bytes of early frames held for one device. */
const MAX_BYTES = 1 << 20;

/** Early frames of one epoch, in bounded memory, and the holes before and between them. */
export class ArrivalWindow {
  readonly #early = new Map<number, EarlyFrame>();
  readonly #holes = new Map<number, Hole>();
  /** Seq after the newest frame known to exist. */
  #end = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#early.size === 0;
  }

  /** Whether a frame is known to exist that has not come. */
  get hasHoles(): boolean {
    return this.#holes.size > 0;
  }

  /**
   * Hold a frame that came before its turn.
   *
   * @param next  seq whose turn it is, < seq
   * @returns `held`; `again` when the place is taken; `beyond` when it is too far ahead or memory is used up
   */
  hold(seq: number, next: number, early: EarlyFrame): "held" | "again" | "beyond" {
    if (this.#early.has(seq)) return "again";
    if (seq - next >= WINDOW_FRAMES || this.#bytes + early.bytes.length > MAX_BYTES) return "beyond";
    this.expect(next, seq + 1, early.receivedMs);
    this.#holes.delete(seq);
    this.#early.set(seq, early);
    this.#bytes += early.bytes.length;
    return "held";
  }

  /** Frames below `end` exist: those from `next` on that are not here are holes. At most a window's worth is noted. */
  expect(next: number, end: number, nowMs: number): void {
    const limit = Math.min(end, next + WINDOW_FRAMES);
    for (let seq = Math.max(this.#end, next); seq < limit; seq++) {
      if (!this.#early.has(seq)) this.#holes.set(seq, { sinceMs: nowMs, askedMs: 0, asks: 0 });
    }
    this.#end = Math.max(this.#end, limit);
  }

  /** The frame at `seq` came, but was of no use: it is a hole again, due at once. */
  reopen(seq: number, nowMs: number): void {
    const hole = this.#holes.get(seq);
    if (hole === undefined) this.#holes.set(seq, { sinceMs: nowMs - GRACE_MS, askedMs: 0, asks: 0 });
    this.#end = Math.max(this.#end, seq + 1);
  }

  /** Whether the frame was asked for at least a grace ago, so that what comes now may be the answer. */
  wasAsked(seq: number, nowMs: number): boolean {
    const hole = this.#holes.get(seq);
    return hole !== undefined && hole.asks > 0 && nowMs - hole.askedMs >= GRACE_MS;
  }

  /** Take the frame whose turn it is out, if it is here. */
  release(seq: number): EarlyFrame | undefined {
    const early = this.#early.get(seq);
    if (early === undefined) return undefined;
    this.#early.delete(seq);
    this.#bytes -= early.bytes.length;
    return early;
  }

  /** The lowest seq held, or `otherwise`. */
  first(otherwise: number): number {
    let first = otherwise;
    for (const seq of this.#early.keys()) first = Math.min(first, seq);
    return first;
  }

  /** The frame at `seq` was taken: it is no hole any more. */
  done(seq: number): void {
    this.#holes.delete(seq);
  }

  /** Whoever sent these frames is gone: ask for nothing until somebody says that it still has them. */
  clear(): void {
    this.#early.clear();
    this.#holes.clear();
    this.#end = 0;
    this.#bytes = 0;
  }

  /** Nothing below `next` is wanted any more. */
  skip(next: number): void {
    for (const seq of this.#holes.keys()) {
      if (seq < next) this.#holes.delete(seq);
    }
    for (const seq of this.#early.keys()) {
      if (seq < next) this.release(seq);
    }
  }

  /** The holes that are due, marked as asked for; the lowest first, as many as an ack carries. */
  missing(nowMs: number): MissingReport {
    const ranges: SeqRange[] = [];
    let againMs: number | undefined;
    const seqs = [...this.#holes.keys()].sort((a, b) => a - b);
    for (const seq of seqs) {
      const hole = this.#holes.get(seq);
      if (hole === undefined) continue;
      const last = ranges.at(-1);
      const isAdjacent = last !== undefined && last.from + last.count === seq;
      const waitMs = dueMs(hole) - nowMs;
      if (waitMs > 0 || (!isAdjacent && ranges.length === MAX_MISSING_RANGES)) {
        againMs = Math.min(againMs ?? Number.POSITIVE_INFINITY, Math.max(waitMs, GRACE_MS));
        continue;
      }
      hole.askedMs = nowMs;
      hole.asks += 1;
      againMs = Math.min(againMs ?? Number.POSITIVE_INFINITY, dueMs(hole) - nowMs);
      if (isAdjacent) ranges[ranges.length - 1] = { from: last.from, count: last.count + 1 };
      else ranges.push({ from: seq, count: 1 });
    }
    return { ranges, againMs };
  }
}

function dueMs({ sinceMs, askedMs, asks }: Hole): number {
  if (asks === 0) return sinceMs + GRACE_MS;
  return askedMs + Math.min(FIRST_ASK_AGAIN_MS * 2 ** (asks - 1), LONGEST_ASK_AGAIN_MS);
}
