import type { BaseIssue, BaseSchema } from "valibot";
import type { BlobRef } from "./blob-store.ts";
import type { JobProgress, JsonObject, NamedBlob } from "./job.ts";

/** Shape of what a workload takes or gives: valibot checks it, and names the field that is wrong. */
export type Schema<Value> = BaseSchema<unknown, Value, BaseIssue<unknown>>;

/** Of one message between the workers of a job, bytes. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** Messages between the workers of one job: opened and closed by the worker, never by a workload. */
export interface JobChannel {
  /** Its own place, and how many there are. */
  readonly index: number;
  readonly count: number;
  /**
   * At most `MAX_MESSAGE_BYTES`; from one peer they come in the order in which they were sent.
   *
   * @returns bytes that it took on the connection: frames, codes and lengths included
   * @throws {JobError} `too-large`; `peer-left` when that one is not there any more
   */
  send(to: number, message: Uint8Array): Promise<number>;
  /**
   * The next message of anybody, or that a peer left or, where the workload lets places be taken again, has come.
   *
   * @throws {JobError} `peer-left` once nobody is there any more and nobody can come
   */
  receive(signal?: AbortSignal): Promise<PeerNews>;
}

/** What a worker of a shared job hears of the others. */
export type PeerNews =
  /** `wireBytes` as `send` counts them. */
  | { readonly kind: "message"; readonly from: number; readonly message: Uint8Array; readonly wireBytes: number }
  | { readonly kind: "left"; readonly from: number }
  /** Somebody has taken a place that was left. */
  | { readonly kind: "joined"; readonly from: number };

/** Everything that a workload may touch: it opens no socket, reads no environment, and asks nobody else for the time. */
export interface JobContext {
  readonly jobId: string;
  /** 1 …. */
  readonly attempt: number;
  readonly inputs: readonly NamedBlob[];
  /**
   * Aborted when the job is cancelled, when its lease is lost and when the worker ends: end soon, what is left is killed.
   * Work that never gives way to others hears of it within `progress` and `log`.
   */
  readonly signal: AbortSignal;
  /** A folder of this attempt's own; gone after it. */
  readonly scratch: string;
  /** Seeded by the job's id: the same for every attempt. u32. */
  random(): number;
  /** Unix time, ms. */
  nowMs(): number;
  /** One line for whoever runs it: of many in a quarter of a second the last sixteen are kept. */
  log(line: string): void;
  /** As often as it likes: told on four times a second at most. */
  progress(progress: Partial<JobProgress>): void;
  /** Bytes of an input, verified. */
  read(input: BlobRef): AsyncIterable<Uint8Array>;
  /** The same as a file in `scratch`. @returns its path */
  file(input: NamedBlob): Promise<string>;
  /** Keep bytes as an output of the job. @param name  1 … 255 bytes, as a file's */
  write(name: string, source: AsyncIterable<Uint8Array>): Promise<NamedBlob>;
  /** The same of a file. */
  writeFile(name: string, path: string): Promise<NamedBlob>;
  /** Where the attempt before left off; undefined: nowhere. */
  resume(): AsyncIterable<Uint8Array> | undefined;
  /** Leave where the next attempt may go on. Replaces the one before. */
  checkpoint(source: AsyncIterable<Uint8Array>): Promise<void>;
  /** Only in a job that several workers share. */
  readonly channel: JobChannel | undefined;
}

/** A kind of cloud work. */
export interface Workload<Params extends JsonObject = JsonObject, Result extends JsonObject = JsonObject> {
  /** 1 … 64 of `[a-z0-9-]`. */
  readonly name: string;
  /** One line for `lockstep worker --help` and the page. */
  readonly summary: string;
  readonly params: Schema<Params>;
  readonly result: Schema<Result>;
  /** Workers that share one job of these parameters; 1 unless given. */
  workers?(params: Params): number;
  /**
   * Whether a place that a worker has left is offered again while the job goes on: whoever takes it is announced to the
   * others. Place 0 is the job itself: where it is left the job is begun again.
   */
  readonly refillsPlaces?: boolean;
  /** Do it. What it wrote by `write` is the job's output; what it throws is the attempt's failure. */
  run(params: Params, context: JobContext): Promise<Result>;
}
