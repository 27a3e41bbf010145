/** Script may take so long of a frame; the rest is for the browser to paint it. */
const SLICE_MS = 8;
/** And do so many pieces: without a GPU what they draw costs more after the script than in it. */
const MOST_PIECES = 2;

/**
 * Work that is done frame by frame, so that no frame takes long: so much of it as there is time for, at least one piece.
 * A piece takes the place of the one before with the same key.
 */
export class FrameQueue {
  readonly #pieces = new Map<unknown, () => void>();
  #frame = 0;

  /** Do this in one of the next frames. @param key  of the piece that it takes the place of */
  add(key: unknown, piece: () => void): void {
    this.#pieces.set(key, piece);
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#run());
  }

  /** Do not do it any more. */
  drop(key: unknown): void {
    this.#pieces.delete(key);
  }

  /** Do nothing of it any more. */
  close(): void {
    this.#pieces.clear();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #run(): void {
    const startMs = performance.now();
    this.#frame = 0;
    let done = 0;
    for (const [key, piece] of this.#pieces) {
      this.#pieces.delete(key);
      piece();
      done += 1;
      if (done === MOST_PIECES || performance.now() - startMs >= SLICE_MS) break;
    }
    if (this.#pieces.size > 0 && this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#run());
  }
}
