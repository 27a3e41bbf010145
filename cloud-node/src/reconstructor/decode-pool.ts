import { availableParallelism } from "node:os";
import type { SequencedFrame } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import { isFull, WaterMarks } from "../water-marks.ts";
import { DecodeThread } from "./decode-thread.ts";
import type { ModuleRegistry } from "./module-registry.ts";
import type { TakeOutcome, Twin } from "./twin.ts";

export interface DecodePoolOptions {
  /** Threads beside the node's own; 0: it decodes all by itself. */
  readonly threads: number;
  /** Frames in a look from which on threads pay; `BUSY_FRAMES` unless given. */
  readonly busyFrames?: number;
  readonly modules: ModuleRegistry;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Told when a thread ended by itself: why, and whether another took its place. */
  onThreadEnd(reason: string, isReplaced: boolean): void;
  /** Told when more waits for the threads than should, and when that is over. */
  onFull(): void;
  onRoom(): void;
}

/** The node's own thread, the one that commits and the system need the rest. */
const CORES_KEPT = 2;
const LEAST_CORES = 4;
const MOST_THREADS = 8;
/** Below so many frames in a look the node decodes by itself: a hop to a thread and back would only delay them. */
const BUSY_FRAMES = 200;
const LOOK_MS = 100;
/** Frames with the threads or behind them from which on devices are held back. */
const HOLD_FRAMES = 2_000;
/** A thread that ends again and again is not made again. */
const MOST_REPLACED = 5;

/** How many threads suit this machine: none where the node's own and the store's have the cores. */
export function automaticThreads(cores: number = availableParallelism()): number {
  return cores < LEAST_CORES ? 0 : Math.min(cores - CORES_KEPT, MOST_THREADS);
}

/**
 * Decodes frames, where it pays on threads of their own: a device always on the same one. The twin stays here; its state
 * goes along with the frame and comes back behind it, so a thread that dies takes nothing with it.
 */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #marks: WaterMarks;
  readonly #threads: (DecodeThread | undefined)[];
  #replaced = 0;
  #flush: NodeJS.Immediate | undefined;
  #waiting = 0;
  #bytes = 0;
  #lookEndMs = Number.NEGATIVE_INFINITY;
  #frames = 0;
  #isBusy = false;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
    const { onFull, onRoom } = options;
    this.#marks = new WaterMarks({ holdFrames: HOLD_FRAMES, onFull, onRoom });
    this.#threads = Array.from({ length: options.threads }, (_, i) => this.#start(i));
  }

  /** Frames that were given out and are not back, and those that wait behind them. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Threads that run. */
  get running(): number {
    return this.#threads.filter((thread) => thread !== undefined).length;
  }

  /** More waits than should: hand over no frame that can come again later. */
  get isFull(): boolean {
    return isFull(this.#waiting, this.#bytes);
  }

  /**
   * Take the frame that is next for a twin.
   *
   * @param twin  left alone until `done` where that is called
   * @param key  of its device: decides on the thread
   * @param done  called later with what became of it, its rows in the row buffer; only if nothing is returned
   * @returns what became of it, its rows in the row buffer; undefined when a thread has it
   */
  take(
    twin: Twin,
    key: number,
    frame: SequencedFrame,
    bytes: Uint8Array,
    done: (outcome: TakeOutcome) => void,
  ): TakeOutcome | undefined {
    const thread = this.#isWorthIt() ? this.#threads[key % this.#threads.length] : undefined;
    if (thread === undefined) return twin.take(frame, bytes);
    const trial = twin.begin(frame, bytes);
    if (typeof trial === "string") return trial;
    this.waits(1, bytes.length);
    thread.add({
      trial,
      settle: (result) => {
        this.waits(-1, -bytes.length);
        done(result === undefined ? twin.decode(trial) : twin.adopt(trial, result));
      },
    });
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      for (const each of this.#threads) each?.flush();
    });
    return undefined;
  }

  /** Account for what waits for a thread, or behind one that has a frame: so many frames and bytes more, or fewer. */
  waits(frames: number, bytes: number): void {
    this.#waiting += frames;
    this.#bytes += bytes;
    this.#marks.look(this.#waiting, this.#bytes);
  }

  /** End all threads; what they have is decoded here, before this returns. */
  close(): void {
    clearImmediate(this.#flush);
    for (const [i, thread] of this.#threads.entries()) {
      this.#threads[i] = undefined;
      thread?.close();
    }
  }

  /** @internal For a test: end a thread as a fault would. */
  async failThread(i: number): Promise<void> {
    await this.#threads[i]?.fail();
  }

  #start(i: number): DecodeThread {
    return new DecodeThread({
      modules: this.#options.modules,
      onEnd: (reason) => {
        this.#options.counters.add("threads.ended");
        const isReplaced = this.#replaced < MOST_REPLACED;
        this.#replaced += 1;
        this.#threads[i] = isReplaced ? this.#start(i) : undefined;
        this.#options.onThreadEnd(reason, isReplaced);
      },
    });
  }

  #isWorthIt(): boolean {
    if (this.#threads.length === 0) return false;
    const { busyFrames = BUSY_FRAMES } = this.#options;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs >= this.#lookEndMs) {
      this.#isBusy = this.#frames >= busyFrames;
      this.#frames = 0;
      this.#lookEndMs = nowMs + LOOK_MS;
    }
    this.#frames += 1;
    return this.#isBusy || this.#frames > busyFrames;
  }
}
