import type { BlobRef } from "./blob-store.ts";
import type { JobProgress, JsonObject, NamedBlob } from "./job.ts";
import type { AttemptFailure } from "./job-failure.ts";
import type { PackedJobError } from "./packed-job-error.ts";

/** Why a thread is asked to end. In shared memory its place counts from 1; 0: go on. */
export const STOP_REASONS = ["cancelled", "lease-lost", "released"] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** What a thread is started with. */
export interface ThreadData {
  /** The registry's file, as a URL. */
  readonly registry: string;
  /** What it loads before a job asks for it. */
  readonly workloads: readonly string[];
  /** Shape (1), i32 in shared memory: why its attempt should end. Seen also by one that never gives way. */
  readonly stop: Int32Array;
}

/** One attempt, as its thread needs to know it. */
export interface ThreadOrder {
  readonly kind: "begin";
  /** Tells messages of this attempt from those of one before it in the same thread. */
  readonly run: number;
  readonly workload: string;
  readonly params: JsonObject;
  readonly jobId: string;
  readonly attempt: number;
  readonly inputs: readonly NamedBlob[];
  /** See `BlobStore`: the thread reads them itself; undefined: it asks for their bytes. */
  readonly blobFolder: string | undefined;
  /** Made when it is first asked for. */
  readonly scratch: string;
  readonly hasCheckpoint: boolean;
  /** Its place among the workers of a shared job; undefined: the first one, which asks for the others. */
  readonly seat: { readonly index: number; readonly count: number } | undefined;
}

/** Where bytes that a thread writes are to go. */
export type WriteTarget = { readonly kind: "output"; readonly name: string } | { readonly kind: "checkpoint" };

/** What a thread hears of the others. */
export type Heard =
  | {
      readonly kind: "message";
      readonly from: number;
      readonly message: Uint8Array<ArrayBuffer>;
      readonly wireBytes: number;
    }
  | { readonly kind: "left" | "joined"; readonly from: number };

/** The workers that a job wants. */
export interface SharedPlaces {
  readonly count: number;
  /** Whether a place that was left is offered again. */
  readonly isRefilled: boolean;
}

/** What a thread may ask its worker for: arguments, then the answer. */
export interface ThreadCalls {
  readonly "read-open": [[ref: BlobRef | "checkpoint"], number];
  /** undefined: it is over. */
  readonly "read-next": [[read: number], Uint8Array<ArrayBuffer> | undefined];
  readonly "read-close": [[read: number], undefined];
  readonly file: [[input: NamedBlob], string];
  readonly "write-open": [[target: WriteTarget], number];
  readonly "write-chunk": [[write: number, bytes: Uint8Array<ArrayBuffer>], undefined];
  readonly "write-end": [[write: number], BlobRef];
  readonly "write-break": [[write: number], undefined];
  readonly "write-file": [[name: string, path: string], BlobRef];
  /** Answered once everybody is there. @returns the own place */
  readonly "channel-open": [[places: SharedPlaces], number];
  /** @returns bytes on the connection */
  readonly "channel-send": [[to: number, message: Uint8Array<ArrayBuffer>], number];
  readonly "channel-receive": [[], Heard];
}

export type ThreadCallName = keyof ThreadCalls;
export type CallArguments<Name extends ThreadCallName> = ThreadCalls[Name][0];
export type CallAnswer<Name extends ThreadCallName> = ThreadCalls[Name][1];

/** Answers what a thread asks for. */
export type ThreadCallDesk = {
  readonly [Name in ThreadCallName]: (...args: CallArguments<Name>) => Promise<CallAnswer<Name>>;
};

/** What a thread says. */
export type FromThread = { readonly run: number } & (
  | { readonly kind: "call"; readonly id: number; readonly name: ThreadCallName; readonly args: readonly unknown[] }
  | { readonly kind: "tell"; readonly progress: JobProgress | undefined; readonly lines: readonly string[] }
  /** `value` is JSON. */
  | { readonly kind: "done"; readonly value: string }
  | { readonly kind: "failed"; readonly failure: AttemptFailure }
);

/** What a thread hears. */
export type ToThread =
  | ThreadOrder
  | { readonly kind: "answer"; readonly run: number; readonly id: number; readonly answer: unknown }
  | { readonly kind: "refusal"; readonly run: number; readonly id: number; readonly error: PackedJobError }
  /** Look at `stop`. */
  | { readonly kind: "stop"; readonly run: number };
