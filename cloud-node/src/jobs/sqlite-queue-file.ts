import { closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { JobError } from "./job-error.ts";

/** "LSJQ": tells a queue from other SQLite databases. */
const APPLICATION_ID = 0x4c534a51;
const OWNER_ONLY = 0o600;
/** How long another process's transaction is waited for. */
const BUSY_MS = 5_000;

/**
 * What brings a queue from one version to the next; entry i makes version i + 1. Released entries never change.
 *
 * What a job is does not change, how it stands does: two texts of JSON, with columns beside them for what is looked for.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    workload TEXT NOT NULL,
    spec TEXT NOT NULL,
    state TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    lease_ms INTEGER,
    ended_ms INTEGER,
    blobs TEXT NOT NULL,
    standing TEXT NOT NULL,
    change INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX jobs_waiting ON jobs (workload, due_ms, number) WHERE state = 'queued';
  CREATE INDEX jobs_held ON jobs (lease_ms) WHERE lease_ms IS NOT NULL;
  CREATE INDEX jobs_ended ON jobs (ended_ms) WHERE ended_ms IS NOT NULL;
  CREATE INDEX jobs_by_state ON jobs (state, number);
  CREATE INDEX jobs_by_change ON jobs (change);
  CREATE TABLE lines (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    place INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX lines_by_job ON lines (job, place);
  CREATE TABLE changes (last INTEGER NOT NULL) STRICT;
  INSERT INTO changes VALUES (0);
  `,
];

/**
 * Open a queue's file for reading and writing; create it, or bring it up to this release.
 *
 * @param maxPages  refuse to grow past so many database pages; 0: any number
 * @throws {JobError} `queue-version` for one of a newer release, `bad-queue` for a file of something else, `queue-away`,
 *   `disk-full`
 */
export function openQueueFile(file: string, maxPages: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Places in shared jobs hold secrets; what SQLite puts beside it has the same mode.
    if (!existsSync(file)) closeSync(openSync(file, "a", OWNER_ONLY));
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    checkFile(database, file);
    // Not before it is known to be ours: this changes the file.
    database.exec("PRAGMA journal_mode = WAL");
    migrate(database, file);
    if (maxPages > 0) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    return database;
  } catch (cause) {
    database?.close();
    throw queueErrorOf(cause, file);
  }
}

/** Brings the schema up to this release, unless another process just did. */
function migrate(database: DatabaseSync, file: string): void {
  if (versionOf(database) === MIGRATIONS.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    checkFile(database, file);
    for (const step of MIGRATIONS.slice(versionOf(database))) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    database.exec("COMMIT");
  } catch (cause) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw cause;
  }
}

function checkFile(database: DatabaseSync, file: string): void {
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (!isEmpty && numberOf(database, "application_id") !== APPLICATION_ID) {
    throw new JobError("bad-queue", `${file} is a database of something else`, "a node's jobs are in STORE.jobs");
  }
  const version = versionOf(database);
  if (version > MIGRATIONS.length) {
    const problem = `${file} has version ${version}, this release knows up to ${MIGRATIONS.length}`;
    throw new JobError("queue-version", problem, "use a newer release");
  }
}

function versionOf(database: DatabaseSync): number {
  return numberOf(database, "user_version");
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

/** The JobError for whatever SQLite threw. @see https://sqlite.org/rescode.html */
export function queueErrorOf(cause: unknown, file: string): JobError {
  if (cause instanceof JobError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  const result = typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 0xff : 0;
  switch (result) {
    case 5:
    case 6:
      return new JobError("queue-away", `${file} is locked by another process`, "try again", { cause });
    case 11:
    case 26:
      return new JobError("bad-queue", `${file} is no queue, or damaged (${detail})`, "choose another file", { cause });
    case 13:
      return new JobError("disk-full", `no room left to write ${file}`, "make room and try again", { cause });
    default:
      return new JobError("queue-away", `${file} (${detail})`, "look at the file, its folder and the disk", { cause });
  }
}
