import { DatabaseSync } from "node:sqlite";
import { StoreError, storeErrorOf } from "./store-error.ts";

/** Beside the store; empty. It stays there: removing it would race with the next one to open it. */
const SUFFIX = "-lock";
/** A node that was just killed may still be going: wait this long for its lock. */
const WAIT_MS = 1_000;

/**
 * The right to write one store, held by one node at a time: keys of devices and twins live in its memory, so a second
 * one would file devices under keys that are taken. The operating system takes it back when the process ends, however
 * it does.
 */
export class StoreLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws {StoreError} `in-use` while another holds it */
  static take(file: string): StoreLock {
    let database: DatabaseSync | undefined;
    try {
      // An exclusive lock of SQLite on an empty database is an advisory lock of the system, on each that Node runs on.
      database = new DatabaseSync(`${file}${SUFFIX}`, { timeout: WAIT_MS });
      // Nothing is ever written, so no journal may be left beside it by a kill.
      database.exec("PRAGMA journal_mode = MEMORY");
      database.exec("BEGIN EXCLUSIVE");
      return new StoreLock(database);
    } catch (cause) {
      database?.close();
      const error = storeErrorOf(cause, file);
      throw error.code === "busy" ? new StoreError("in-use", { file }, { cause }) : error;
    }
  }

  release(): void {
    this.#database.close();
  }
}
