import { InvariantError } from "../invariant-error.ts";
import type { RetentionReport, RetentionRules } from "./retention.ts";
import type { CommitReply, Store, StoreBatch, StoreReader } from "./store.ts";
import type { StoreError } from "./store-error.ts";

/** A commit that waits for the test to say how it ends. */
export interface HeldCommit {
  readonly batch: StoreBatch;
  succeed(exceptions?: CommitReply["exceptions"]): Promise<void>;
  fail(error: StoreError): Promise<void>;
}

/** A store whose commits end when a test says so; with a store behind it what succeeds is really written. */
export class HeldStore implements Store {
  readonly #behind: Store | undefined;
  readonly #held: HeldCommit[] = [];
  #waiting: ((commit: HeldCommit) => void)[] = [];

  constructor(behind?: Store) {
    this.#behind = behind;
  }

  get reader(): StoreReader {
    if (this.#behind === undefined) throw new InvariantError("nothing is stored here");
    return this.#behind.reader;
  }

  /** Commits that were asked for and not taken up by `next`. */
  get pending(): number {
    return this.#held.length;
  }

  /** The next commit, as soon as it is asked for. */
  next(): Promise<HeldCommit> {
    const held = this.#held.shift();
    return held === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(held);
  }

  commit(batch: StoreBatch): Promise<CommitReply> {
    return new Promise((resolve, reject) => {
      const held: HeldCommit = {
        batch,
        succeed: async (exceptions = []) => {
          resolve((await this.#behind?.commit(batch)) ?? { exceptions });
          await settled();
        },
        fail: async (error) => {
          reject(error);
          await settled();
        },
      };
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#held.push(held);
      else waiting(held);
    });
  }

  async retain(rules: RetentionRules): Promise<RetentionReport> {
    return (await this.#behind?.retain(rules)) ?? { stretches: 0, freedBytes: 0 };
  }

  async close(): Promise<void> {
    await this.#behind?.close();
  }
}

/** Until everything that hangs on a settled promise has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
