import { InvariantError } from "../invariant-error.ts";
import { specOf } from "./job-id.ts";
import { type JobRecord, newRecord } from "./job-record.ts";
import { afterLease, begunAnew, cancelling, type QueuePace, stepped, taken } from "./job-steps.ts";
import type { SqliteJobTable } from "./sqlite-job-table.ts";
import type { QueueAnswers, QueueAsk } from "./sqlite-queue-messages.ts";

/** Steps after which somebody counts on what was said, even when the power goes. A lease ends with the power anyway. */
const LASTING_STEPS: ReadonlySet<string> = new Set(["done", "failed", "cancelled", "checkpoint"]);
const LASTING: ReadonlySet<QueueAsk["kind"]> = new Set(["submit", "cancel", "retry", "prune"]);

/** Whether the answer may only be given once the disk has it. */
export function isLasting(ask: QueueAsk): boolean {
  return ask.kind === "step" ? LASTING_STEPS.has(ask.step.kind) : LASTING.has(ask.kind);
}

/** Answers what is asked of the table of jobs, one question at a time. */
export class SqliteJobDesk {
  readonly #table: SqliteJobTable;
  readonly #pace: QueuePace;
  readonly #beginWriting: () => void;

  /** @param beginWriting  called before every change, so that those who only ask never wait for who writes */
  constructor(table: SqliteJobTable, pace: QueuePace, beginWriting: () => void) {
    this.#table = table;
    this.#pace = pace;
    this.#beginWriting = beginWriting;
  }

  /** @throws {JobError} and then nothing was changed; whatever SQLite throws */
  answer(ask: QueueAsk, nowMs: number): QueueAnswers[keyof QueueAnswers] {
    switch (ask.kind) {
      case "submit":
        return this.#submit(ask, nowMs);
      case "get":
        return this.#table.get(ask.id);
      case "list":
        return this.#table.list(ask.filter);
      case "log":
        return this.#table.lines(ask.id);
      case "claim":
        return this.#claim(ask.workloads, ask.worker, nowMs);
      case "step":
        return this.#step(ask, nowMs);
      case "note":
        return this.#note(ask);
      case "cancel":
        return this.#change(ask.id, (record) => cancelling(record, nowMs));
      case "retry":
        return this.#change(ask.id, (record) => begunAnew(record, nowMs));
      case "prune":
        this.#beginWriting();
        return this.#table.removeEnded(ask.beforeMs);
      case "references":
        return this.#table.blobs();
      case "ready":
        return this.#table.readyMs(ask.workloads);
      case "look":
        this.#endLeases(nowMs);
        return null;
      default:
        throw new InvariantError(`${ask.kind} is no question for the table`);
    }
  }

  #submit(ask: Extract<QueueAsk, { kind: "submit" }>, nowMs: number): QueueAnswers["submit"] {
    this.#beginWriting();
    const known = this.#table.get(ask.id);
    if (known !== undefined) return { record: known, isNew: false };
    const record = newRecord(specOf(ask.canonical), ask.id, nowMs, ask.maxAttempts);
    this.#table.add(record, ask.canonical);
    return { record, isNew: true };
  }

  #claim(workloads: readonly string[], worker: string, nowMs: number): JobRecord | undefined {
    this.#endLeases(nowMs);
    if (this.#table.due(workloads, nowMs) === undefined) return undefined;
    this.#beginWriting();
    // Another process may have taken it before this one had the right to write.
    const record = this.#table.due(workloads, nowMs);
    return record === undefined ? undefined : this.#table.put(taken(record, worker, nowMs, this.#pace));
  }

  #step(ask: Extract<QueueAsk, { kind: "step" }>, nowMs: number): JobRecord | undefined {
    this.#beginWriting();
    const record = this.#table.get(ask.id);
    const next = record && stepped(record, ask.turn, ask.step, nowMs, this.#pace);
    return next === undefined || next === record ? next : this.#table.put(next);
  }

  #note({ id, turn, line }: Extract<QueueAsk, { kind: "note" }>): null {
    this.#beginWriting();
    const record = this.#table.get(id);
    if (record?.turn === turn && record.state === "running") this.#table.addLine(id, line);
    return null;
  }

  #change(id: string, change: (record: JobRecord) => JobRecord): JobRecord {
    this.#beginWriting();
    return this.#table.put(change(this.#table.need(id)));
  }

  #endLeases(nowMs: number): void {
    if (this.#table.lost(nowMs).length === 0) return;
    this.#beginWriting();
    for (const record of this.#table.lost(nowMs)) this.#table.put(afterLease(record, nowMs, this.#pace));
  }
}
