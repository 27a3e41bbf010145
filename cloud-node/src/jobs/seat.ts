import * as v from "valibot";
import type { Job, JobSpec } from "./job.ts";
import { JobError } from "./job-error.ts";
import { SEAT_SALT } from "./seat-salt.ts";

const ID_HEAD = 8;
/** Of what proves that somebody belongs to a place. */
export const SECRET_BYTES = 32;
const ADDRESS = /^(tcp:\/\/[^/?#@]+:\d+|mqtt-route:[0-9a-f]{32})$/;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const seatSchema = v.strictObject({
  /** The shared job, and which attempt at it. */
  job: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  attempt: count,
  /** When that attempt was begun, Unix time, ms: of a later one the place is none. */
  startedMs: v.nullable(v.number()),
  index: count,
  count,
  /** Where place 0 listens, and what proves that somebody belongs there, hexadecimal. */
  address: v.pipe(v.string(), v.regex(ADDRESS), v.url()),
  secret: v.pipe(v.string(), v.hexadecimal(), v.length(2 * SECRET_BYTES)),
});
const envelopeSchema = v.strictObject({ seat: seatSchema, params: v.record(v.string(), v.any()) });

/** A place among the workers of a shared job, as the worker at place 0 offers it to others. */
export type Seat = v.InferOutput<typeof seatSchema>;

/**
 * Whether a job is a place in another one: handed in by a worker, and of no interest to people. Whoever takes jobs from
 * outside refuses it.
 */
export function isSeat({ salt }: Pick<JobSpec, "salt">): boolean {
  return salt.startsWith(SEAT_SALT);
}

/** The job that offers a place of `job` to whoever takes it. */
export function seatSpec(job: Pick<Job, "workload" | "inputs" | "params">, seat: Seat): JobSpec {
  const salt = `${SEAT_SALT}${seat.attempt}-${seat.index}-${seat.job.slice(0, ID_HEAD)}`;
  return { workload: job.workload, params: { seat, params: job.params }, inputs: job.inputs, salt };
}

/** The place that a job offers, and the parameters of the shared one. @throws {JobError} `bad-job` */
export function readSeat({ params }: Pick<JobSpec, "params">): {
  readonly seat: Seat;
  readonly params: JobSpec["params"];
} {
  const read = v.safeParse(envelopeSchema, params);
  if (read.success && read.output.seat.index < read.output.seat.count) return read.output;
  const problem = read.success
    ? "its index is beyond its count"
    : `${v.getDotPath(read.issues[0])}: ${read.issues[0].message}`;
  throw new JobError("bad-job", `a place in a shared job that is none: ${problem}`, "leave such jobs to the workers");
}
