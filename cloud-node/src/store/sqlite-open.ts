import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { migrate, SCHEMA_VERSION } from "./sqlite-schema.ts";
import { StoreError, storeErrorOf } from "./store-error.ts";
import { StoreLock } from "./store-lock.ts";

/** First bytes of every SQLite database. @see https://sqlite.org/fileformat.html, section 1.3 */
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
/** First bytes of a rollback journal. @see https://sqlite.org/fileformat.html, section 3 */
const JOURNAL_MAGIC = Buffer.from("d9d505f920a163d7", "hex");
/** How long a writer waits for another connection's lock. */
const BUSY_MS = 5_000;

/**
 * Make sure that `file` is a store of this release: create it, or migrate it, or refuse it untouched.
 *
 * @returns the right to write it; the caller releases it
 * @throws {StoreError} `not-a-database`, `foreign-database`, `newer-schema`, `cannot-open`, `in-use`, `read-only`,
 *   `disk-full`
 */
export function prepareStore(file: string): StoreLock {
  takeBack(file);
  // What is not ours is refused before anything is put beside it.
  if (!isEmpty(file)) checkExisting(file);
  const lock = StoreLock.take(file);
  try {
    // Whoever had the lock may have migrated it meanwhile.
    migrateStore(file, isEmpty(file) ? 0 : checkExisting(file));
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function migrateStore(file: string, version: number): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    // The schema is written before WAL begins, so that the file says what it is even when a log is still beside it.
    database.exec("PRAGMA synchronous = FULL");
    // So that pages can be given back to the system; a file that is not empty has to be written anew for it.
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    migrate(database, version);
    if (version === 1) rewrite(database);
    database.exec("PRAGMA journal_mode = WAL");
  } catch (cause) {
    throw storeErrorOf(cause, file);
  } finally {
    database?.close();
  }
}

/** Where there is no room for a copy of the file, its free pages are used for later frames instead. */
function rewrite(database: DatabaseSync): void {
  try {
    database.exec("VACUUM");
  } catch (cause) {
    if (storeErrorOf(cause, "").code !== "disk-full") throw cause;
  }
}

/** A connection that commits; WAL, and every commit reaches the disk before it returns. */
export function openForWriting(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    database.exec("PRAGMA synchronous = FULL");
    return database;
  } catch (cause) {
    database?.close();
    throw storeErrorOf(cause, file);
  }
}

/**
 * A connection that only reads.
 *
 * @throws {StoreError} as `prepareStore`; also `cannot-open` when there is no file
 */
export function openForReading(file: string): DatabaseSync {
  takeBack(file);
  if (isEmpty(file)) throw new StoreError("cannot-open", { file, detail: "there is no such store" });
  const { database, version } = openChecked(file);
  if (version < SCHEMA_VERSION) {
    database.close();
    throw new StoreError("failed", {
      file,
      detail: `schema ${version} is older; open it with \`lockstep serve\` once`,
    });
  }
  return database;
}

/**
 * Undo what a kill or a power cut left half-written of a store that was being made or migrated, before WAL began: whoever
 * only reads cannot, and would find neither the old state nor the new one. Of a database that is in use nothing is undone.
 */
function takeBack(file: string): void {
  const journal = `${file}-journal`;
  const isDatabase = hasStart(journal, JOURNAL_MAGIC) || (!isEmpty(journal) && hasStart(file, MAGIC));
  if (!isDatabase) return;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    database.prepare("SELECT 1 FROM sqlite_schema").get();
  } catch (cause) {
    throw storeErrorOf(cause, file);
  } finally {
    database?.close();
  }
}

function isEmpty(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Read the schema version without writing a byte, and refuse what is not ours. */
function checkExisting(file: string): number {
  const { database, version } = openChecked(file);
  database.close();
  return version;
}

function openChecked(file: string): { readonly database: DatabaseSync; readonly version: number } {
  let database: DatabaseSync | undefined;
  try {
    if (!hasStart(file, MAGIC)) throw new StoreError("not-a-database", { file });
    database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    const version = readVersion(database);
    if (version === undefined) throw new StoreError("foreign-database", { file });
    if (version > SCHEMA_VERSION) {
      throw new StoreError("newer-schema", { file, version, supported: SCHEMA_VERSION });
    }
    return { database, version };
  } catch (cause) {
    database?.close();
    throw storeErrorOf(cause, file);
  }
}

/** Whether a file begins so; one that is not there does not. */
function hasStart(file: string, expected: Uint8Array): boolean {
  if (isEmpty(file)) return false;
  const start = Buffer.alloc(expected.length);
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (cause) {
    throw new StoreError("cannot-open", { file, detail: cause instanceof Error ? cause.message : "" }, { cause });
  }
  try {
    readSync(descriptor, start, 0, start.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return start.equals(expected);
}

/** 0 for a database that was begun and has nothing in it, undefined for one of something else. */
function readVersion(database: DatabaseSync): number | undefined {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'store'").get();
  if (table === undefined) return database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined ? 0 : undefined;
  const row = database.prepare("SELECT version FROM store").get();
  return typeof row?.version === "number" ? row.version : undefined;
}
