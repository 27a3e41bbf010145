import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { InvariantError } from "../invariant-error.ts";
import type { Job, JobSpec } from "./job.ts";
import { JobError } from "./job-error.ts";
import { specOf } from "./job-id.ts";
import { type JobFilter, MOST_JOBS } from "./job-queue.ts";
import { blobsOf, type JobRecord } from "./job-record.ts";
import { SEAT_SALT } from "./seat-salt.ts";
import type { JobLine } from "./sqlite-queue-messages.ts";

type Row = Record<string, SQLOutputValue>;

/** What of a job is in the text `standing`: the rest has a column. */
type Standing = Omit<JobRecord, keyof JobSpec | "id" | "state" | "dueMs" | "leaseMs" | "endedMs">;

/** Lines of a log that are kept. */
const MOST_LINES = 1_000;
/** Jobs and lines that are told at once; what is left comes with the next look. */
const MOST_TOLD = 500;

/** The rows of a queue's file, by one connection; every change belongs into a transaction of the caller's. */
export class SqliteJobTable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(id: string): JobRecord | undefined {
    const row = this.#sql("SELECT * FROM jobs WHERE id = ?").get(id);
    return row === undefined ? undefined : recordOf(row);
  }

  /** @throws {JobError} `unknown-job` */
  need(id: string): JobRecord {
    const record = this.get(id);
    if (record === undefined) throw new JobError("unknown-job", `job ${id}`, "it was never handed in, or is forgotten");
    return record;
  }

  /** @param canonical  as `jobContent` made it */
  add(record: JobRecord, canonical: string): void {
    this.#sql(
      `INSERT INTO jobs (id, workload, spec, state, due_ms, lease_ms, ended_ms, blobs, standing, change)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT last FROM changes))`,
    ).run(record.id, record.workload, canonical, ...columnsOf(record));
  }

  put(record: JobRecord): JobRecord {
    this.#sql(
      `UPDATE jobs SET state = ?, due_ms = ?, lease_ms = ?, ended_ms = ?, blobs = ?, standing = ?,
       change = (SELECT last FROM changes) WHERE id = ?`,
    ).run(...columnsOf(record), record.id);
    return record;
  }

  /** Number the change that begins: all of a transaction's have the same. */
  beginChange(): void {
    this.#sql("UPDATE changes SET last = last + 1").run();
  }

  list({ states, workload, hidesSeats, before, limit }: JobFilter): JobRecord[] {
    const [conditions, values]: [string[], (string | number)[]] = [[], []];
    if (states !== undefined) {
      conditions.push(`state IN (${states.map(() => "?").join(", ")})`);
      values.push(...states);
    }
    if (workload !== undefined) {
      conditions.push("workload = ?");
      values.push(workload);
    }
    if (hidesSeats) {
      conditions.push("substr(json_extract(spec, '$.salt'), 1, ?) <> ?");
      values.push(SEAT_SALT.length, SEAT_SALT);
    }
    if (before !== undefined) {
      conditions.push("number < ?");
      values.push(this.#numberOf(before));
    }
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const most = Math.min(Math.max(1, Math.trunc(limit)), MOST_JOBS);
    return this.#sql(`SELECT * FROM jobs ${where} ORDER BY number DESC LIMIT ?`)
      .all(...values, most)
      .map(recordOf);
  }

  /** The one that waits longest of these workloads and is due. */
  due(workloads: readonly string[], nowMs: number): JobRecord | undefined {
    const find = this.#sql(
      `SELECT * FROM jobs WHERE workload = ? AND state = 'queued' AND due_ms <= ? ORDER BY due_ms, number LIMIT 1`,
    );
    const found = workloads.map((workload) => find.get(workload, nowMs)).filter((row) => row !== undefined);
    const first = found.sort((a, b) => Number(a.due_ms) - Number(b.due_ms) || Number(a.number) - Number(b.number))[0];
    return first === undefined ? undefined : recordOf(first);
  }

  /** Unix time, ms, from which on one of these workloads may be there to claim. */
  readyMs(workloads: readonly string[]): number | undefined {
    const find = this.#sql("SELECT min(due_ms) AS ms FROM jobs WHERE workload = ? AND state = 'queued'");
    const times = workloads.flatMap((workload) => find.get(workload)?.ms ?? []);
    const lease = this.#sql("SELECT min(lease_ms) AS ms FROM jobs WHERE lease_ms IS NOT NULL").get()?.ms;
    if (typeof lease === "number") times.push(lease);
    return times.length === 0 ? undefined : Math.min(...times.map(Number));
  }

  /** Whose lease is over. */
  lost(nowMs: number): JobRecord[] {
    return this.#sql("SELECT * FROM jobs WHERE lease_ms <= ? ORDER BY lease_ms LIMIT ?")
      .all(nowMs, MOST_TOLD)
      .map(recordOf);
  }

  /** @returns ids of the jobs that were forgotten */
  removeEnded(beforeMs: number): string[] {
    this.#sql(`DELETE FROM lines WHERE job IN (SELECT id FROM jobs WHERE ended_ms < ?)`).run(beforeMs);
    const rows = this.#sql("DELETE FROM jobs WHERE ended_ms < ? RETURNING id").all(beforeMs);
    return rows.map(({ id }) => String(id));
  }

  blobs(): string[] {
    const found = new Set<string>();
    for (const { blobs } of this.#sql("SELECT blobs FROM jobs WHERE blobs <> ''").iterate()) {
      for (const sha256 of String(blobs).split(" ")) found.add(sha256);
    }
    return [...found];
  }

  addLine(id: string, text: string): void {
    const last = this.#sql("SELECT max(place) AS place FROM lines WHERE job = ?").get(id)?.place;
    const place = Number(last ?? 0) + 1;
    this.#sql("INSERT INTO lines (job, place, text) VALUES (?, ?, ?)").run(id, place, text);
    this.#sql("DELETE FROM lines WHERE job = ? AND place <= ?").run(id, place - MOST_LINES);
  }

  lines(id: string): string[] {
    const rows = this.#sql("SELECT text FROM lines WHERE job = ? ORDER BY place").all(id);
    return rows.map(({ text }) => String(text));
  }

  /** Where the tale of jobs and lines stands: what comes later is news. */
  now(): { readonly change: number; readonly line: number } {
    const change = this.#sql("SELECT last FROM changes").get()?.last;
    const line = this.#sql("SELECT seq FROM sqlite_sequence WHERE name = 'lines'").get()?.seq;
    return { change: Number(change), line: Number(line ?? 0) };
  }

  changedAfter(change: number): { readonly change: number; readonly record: JobRecord }[] {
    // All of one change, though they are many: the next look begins behind it.
    return this.#sql(
      `SELECT * FROM jobs WHERE change > ?1 AND change <=
       coalesce((SELECT change FROM jobs WHERE change > ?1 ORDER BY change LIMIT 1 OFFSET ?2), 9e15) ORDER BY change, number`,
    )
      .all(change, MOST_TOLD)
      .map((row) => ({ change: Number(row.change), record: recordOf(row) }));
  }

  linesAfter(number: number): (JobLine & { readonly number: number })[] {
    return this.#sql("SELECT number, job, text FROM lines WHERE number > ? ORDER BY number LIMIT ?")
      .all(number, MOST_TOLD)
      .map((row) => ({ number: Number(row.number), id: String(row.job), line: String(row.text) }));
  }

  /** Differs from the one before when another connection wrote. */
  foreignVersion(): number {
    return Number(this.#sql("PRAGMA data_version").get()?.data_version);
  }

  #numberOf(id: string): number {
    const number = this.#sql("SELECT number FROM jobs WHERE id = ?").get(id)?.number;
    if (number === undefined) throw new JobError("unknown-job", `job ${id}`, "begin the list anew");
    return Number(number);
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

function columnsOf(record: JobRecord): [string, number, number | null, number | null, string, string] {
  const { workload: _, params: __, inputs: ___, salt: ____, id: _____, ...rest } = record;
  const { state, dueMs, leaseMs, endedMs, ...standing } = rest;
  return [state, dueMs, leaseMs, endedMs, blobsOf(record).join(" "), JSON.stringify(standing satisfies Standing)];
}

function recordOf(row: Row): JobRecord {
  const { id, spec, standing } = row;
  if (typeof id !== "string" || typeof spec !== "string" || typeof standing !== "string") {
    throw new InvariantError("a row of a strict table is of another type");
  }
  return {
    ...specOf(spec),
    ...(JSON.parse(standing) as Standing),
    id,
    state: row.state as Job["state"],
    dueMs: Number(row.due_ms),
    leaseMs: row.lease_ms === null ? null : Number(row.lease_ms),
    endedMs: row.ended_ms === null ? null : Number(row.ended_ms),
  };
}
