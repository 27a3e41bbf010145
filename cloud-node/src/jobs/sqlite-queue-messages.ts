import type { JobFilter } from "./job-queue.ts";
import type { JobRecord } from "./job-record.ts";
import type { LeaseStep, QueuePace } from "./job-steps.ts";
import type { PackedJobError } from "./packed-job-error.ts";

/** What the queue asks of the thread that has its file. */
export type QueueAsk =
  | { readonly kind: "open" | "references" | "look" | "follow" | "unfollow" | "close" }
  | {
      readonly kind: "submit";
      readonly id: string;
      readonly canonical: string;
      readonly maxAttempts: number | undefined;
    }
  | { readonly kind: "get" | "log" | "cancel" | "retry"; readonly id: string }
  | { readonly kind: "list"; readonly filter: JobFilter }
  | { readonly kind: "claim"; readonly workloads: readonly string[]; readonly worker: string }
  | { readonly kind: "step"; readonly id: string; readonly turn: number; readonly step: LeaseStep }
  | { readonly kind: "note"; readonly id: string; readonly turn: number; readonly line: string }
  | { readonly kind: "prune"; readonly beforeMs: number }
  | { readonly kind: "ready"; readonly workloads: readonly string[] };

/** What it is told, by what it asked. */
export interface QueueAnswers {
  readonly open: null;
  readonly references: readonly string[];
  readonly look: null;
  readonly follow: null;
  readonly unfollow: null;
  readonly close: null;
  readonly submit: { readonly record: JobRecord; readonly isNew: boolean };
  readonly get: JobRecord | undefined;
  readonly log: string[];
  readonly cancel: JobRecord;
  readonly retry: JobRecord;
  readonly list: JobRecord[];
  readonly claim: JobRecord | undefined;
  readonly step: JobRecord | undefined;
  readonly note: null;
  readonly prune: string[];
  /** Unix time, ms, from which on there may be something to claim; undefined: nothing is in sight. */
  readonly ready: number | undefined;
}

export interface QueueOrder {
  readonly call: number;
  /** Unix time, ms: the thread has no clock of its own. */
  readonly nowMs: number;
  readonly ask: QueueAsk;
}

export type QueueReply =
  | { readonly kind: "answer"; readonly call: number; readonly answer: QueueAnswers[keyof QueueAnswers] }
  | { readonly kind: "refusal"; readonly call: number; readonly error: PackedJobError }
  /** What became of jobs since the last ones, in order. */
  | { readonly kind: "events"; readonly records: readonly JobRecord[]; readonly lines: readonly JobLine[] };

/** A line of a job's log. */
export interface JobLine {
  readonly id: string;
  readonly line: string;
}

export interface QueueThreadData {
  readonly file: string;
  /** Refuse to grow past so many database pages; 0: any number. */
  readonly maxPages: number;
  readonly pace: QueuePace;
}
