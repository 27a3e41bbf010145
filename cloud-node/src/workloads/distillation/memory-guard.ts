import { DistillationError } from "./distillation-error.ts";

/** How often memory is looked at between the calls of the work itself, ms. */
const LOOK_MS = 50;
/** Work is stopped at this share of its limit: what is asked for between two looks has the rest. */
const STOP_SHARE = 0.9;
const MIB = 2 ** 20;

/** Watches the memory of the process while a step runs, and stops it before it has taken what it may have. */
export class MemoryGuard {
  readonly #limitMB: number;
  readonly #residentBytes: () => number;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #peakBytes = 0;

  /**
   * @param limitMB  MiB of resident memory
   * @param residentBytes  of this process
   * @param outer  stops the work, too
   */
  constructor(limitMB: number, residentBytes: () => number, outer: AbortSignal) {
    this.#limitMB = limitMB;
    this.#residentBytes = residentBytes;
    this.signal = AbortSignal.any([outer, this.#stop.signal]);
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
    this.look();
  }

  /** Aborted when memory runs short, with a `DistillationError` as its reason, and when somebody outside says so. */
  readonly signal: AbortSignal;

  /** MiB at most so far. */
  get peakMB(): number {
    return Math.ceil(this.#peakBytes / MIB);
  }

  /** Look now; work that never gives way calls it as it goes. */
  look(): void {
    const bytes = this.#residentBytes();
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    if (bytes <= STOP_SHARE * this.#limitMB * MIB || this.#stop.signal.aborted) return;
    const problem = `this step takes ${Math.ceil(bytes / MIB)} MiB of memory, and ${this.#limitMB} is its limit`;
    const remedy = "raise limits.memoryMB, or make batches smaller; what is done is kept";
    this.#stop.abort(new DistillationError("memory-limit", problem, remedy));
  }

  /** Look no more. */
  close(): void {
    clearInterval(this.#timer);
  }
}
