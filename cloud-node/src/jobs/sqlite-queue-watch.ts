import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** After the system tells of a write it is looked for so long, ms: what is written counts only once the disk has it. */
const FIRST_LOOK_MS = 10;
/** Then twice as long each time; a look at a longer pause is made anyway. */
const LAST_LOOK_MS = 100;

/**
 * Looks for what other processes write into a queue's file soon after they do, so that it need not be looked for all the
 * time. Where the system tells nothing of files it never does.
 */
export class WriteWatch {
  readonly #look: () => boolean;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Before the look that is to come; 0: none is. */
  #pauseMs = 0;

  /** @param look  whether something was found */
  constructor(file: string, look: () => boolean) {
    this.#look = look;
    const log = `${basename(file)}-wal`;
    try {
      // Of the folder: SQLite makes and removes its log as it needs it.
      this.#watcher = watch(dirname(file), { persistent: false }, (_kind, name) => {
        if (name === log && this.#pauseMs !== FIRST_LOOK_MS) this.#lookIn(FIRST_LOOK_MS);
      });
      this.#watcher.on("error", () => this.close());
    } catch {
      // The system watches no more files, or none at all.
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#pauseMs = ms;
    this.#timer = setTimeout(() => {
      this.#pauseMs = 0;
      if (!this.#look() && this.#watcher !== undefined && ms < LAST_LOOK_MS) this.#lookIn(2 * ms);
    }, ms).unref();
  }
}
