import type { LaneUpdate } from "../../src/api/lane-feed.ts";

/**
 * Hands updates to the lanes without going through Preact's state: no sample is ever in it. What comes while nobody
 * listens is kept, from the newest whole update on.
 */
export class LaneHub {
  #waiting: LaneUpdate[] = [];
  #listener: ((update: LaneUpdate) => void) | undefined;

  push(update: LaneUpdate): void {
    if (update.isWhole) this.#waiting = [];
    if (this.#listener === undefined) this.#waiting.push(update);
    else this.#listener(update);
  }

  /** Listen from now on, first to what was kept. @returns ends it */
  listen(listener: (update: LaneUpdate) => void): () => void {
    this.#listener = listener;
    for (const update of this.#waiting.splice(0)) listener(update);
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }
}
