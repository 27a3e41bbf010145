/**
 * The thread that has a queue's file, so that waiting for the disk never delays anybody else. What was asked while it
 * waited becomes one transaction: the disk is asked once for all of it, and nobody is answered before.
 */
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { InvariantError } from "../invariant-error.ts";
import { JobError } from "./job-error.ts";
import { packJobError } from "./packed-job-error.ts";
import { isLasting, SqliteJobDesk } from "./sqlite-job-desk.ts";
import { SqliteJobTable } from "./sqlite-job-table.ts";
import { beginWriting, openQueueFile, queueErrorOf } from "./sqlite-queue-file.ts";
import type { QueueOrder, QueueReply, QueueThreadData } from "./sqlite-queue-messages.ts";
import { WriteWatch } from "./sqlite-queue-watch.ts";

const port = parentPort;
if (port === null) throw new InvariantError("the queue's thread must run in a worker thread");
const { file, maxPages, pace }: QueueThreadData = workerData;

/** A connection, and what is prepared on it. */
interface Open {
  readonly database: DatabaseSync;
  readonly table: SqliteJobTable;
  readonly desk: SqliteJobDesk;
  foreignVersion: number;
  /** As it was last set. */
  synchronous: "FULL" | "NORMAL" | undefined;
}

let open: Open | undefined;
let waiting: QueueOrder[] = [];
/** How far the tale was told; undefined: nobody listens. */
let told: { change: number; line: number } | undefined;
/** While somebody listens. */
let watch: WriteWatch | undefined;

port.on("message", (order: QueueOrder) => {
  waiting.push(order);
  if (waiting.length === 1) setImmediate(work);
});

function work(): void {
  const orders = waiting;
  waiting = [];
  let replies: QueueReply[];
  let hasNews = false;
  try {
    open ??= opened();
    const before = open.foreignVersion;
    open.foreignVersion = open.table.foreignVersion();
    replies = answered(open, orders);
    hasNews = replies.length > 0 && (hasWritten || open.foreignVersion !== before);
  } catch (cause) {
    const error = packJobError(queueErrorOf(cause, file));
    replies = orders.map(({ call }) => ({ kind: "refusal", call, error }));
    giveUp();
  }
  for (const reply of replies) port?.postMessage(reply);
  if (hasNews) tell();
  if (orders.some(({ ask }) => ask.kind === "close")) {
    giveUp();
    unfollow();
    port?.close();
  }
}

let hasWritten = false;

/** All in one transaction, which begins with the first that changes something. */
function answered(open: Open, orders: readonly QueueOrder[]): QueueReply[] {
  hasWritten = false;
  // What only holds a lease need not reach the disk: it is told to the system, and outlives every end of a process.
  const synchronous = orders.some(({ ask }) => isLasting(ask)) ? "FULL" : "NORMAL";
  if (open.synchronous !== synchronous) open.database.exec(`PRAGMA synchronous = ${synchronous}`);
  open.synchronous = synchronous;
  const replies = orders.map((order) => answer(order, open.desk, open.table));
  if (hasWritten) open.database.exec("COMMIT");
  return replies;
}

function answer({ call, ask, nowMs }: QueueOrder, desk: SqliteJobDesk, table: SqliteJobTable): QueueReply {
  try {
    switch (ask.kind) {
      case "follow":
        told = from(table);
        watch ??= new WriteWatch(file, look);
        return { kind: "answer", call, answer: null };
      case "unfollow":
        unfollow();
        return { kind: "answer", call, answer: null };
      case "open":
      case "close":
        return { kind: "answer", call, answer: null };
      default:
        return { kind: "answer", call, answer: desk.answer(ask, nowMs) };
    }
  } catch (error) {
    if (error instanceof JobError) return { kind: "refusal", call, error: packJobError(error) };
    // What the file, or its connection, refuses concerns everybody.
    if (error instanceof Error && "code" in error) throw error;
    // What cannot be worked out is whoever asked's alone: nothing of it was written.
    const problem = `the queue cannot make anything of it (${error})`;
    return { kind: "refusal", call, error: packJobError(new JobError("failed", problem, "mend what is asked")) };
  }
}

function unfollow(): void {
  told = undefined;
  watch?.close();
  watch = undefined;
}

/** Tell what another process changed. @returns whether there was anything */
function look(): boolean {
  // A question that is about to be answered looks, too.
  if (open === undefined || waiting.length > 0) return true;
  try {
    const before = open.foreignVersion;
    open.foreignVersion = open.table.foreignVersion();
    if (open.foreignVersion === before) return false;
  } catch {
    giveUp();
    return true;
  }
  tell();
  return true;
}

/** From now on, and from the beginning of a change that is under way: what follows has the same number. */
function from(table: SqliteJobTable): { change: number; line: number } {
  const { change, line } = table.now();
  return { change: hasWritten ? change - 1 : change, line };
}

function opened(): Open {
  const database = openQueueFile(file, maxPages);
  const table = new SqliteJobTable(database);
  const desk = new SqliteJobDesk(table, pace, () => {
    if (hasWritten) return;
    beginWriting(database);
    hasWritten = true;
    table.beginChange();
  });
  return { database, table, desk, foreignVersion: -1, synchronous: undefined };
}

/** Whatever it is that SQLite cannot do, a new connection may: what it opened only for reading, it keeps to. */
function giveUp(): void {
  const database = open?.database;
  open = undefined;
  try {
    if (database?.isTransaction) database.exec("ROLLBACK");
    database?.close();
  } catch {
    // It could not be used before either; whoever asked heard why.
  }
}

/** What became of jobs since it was last told. Whoever listens hears of what is missed now with the next change. */
function tell(): void {
  try {
    while (told !== undefined && open !== undefined) {
      const changed = open.table.changedAfter(told.change);
      const lines = open.table.linesAfter(told.line);
      if (changed.length === 0 && lines.length === 0) return;
      told.change = changed.at(-1)?.change ?? told.change;
      told.line = lines.at(-1)?.number ?? told.line;
      port?.postMessage({ kind: "events", records: changed.map(({ record }) => record), lines } satisfies QueueReply);
    }
  } catch {
    giveUp();
  }
}
