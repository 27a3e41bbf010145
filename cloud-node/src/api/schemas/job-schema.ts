import { MAX_JOB_ATTEMPTS } from "@lockstep/protocol";
import { type Static, type TObject, Type } from "typebox";
import { JOB_STATES, type Json, MAX_INPUTS, MAX_OUTPUTS } from "../../jobs/job.ts";
import { closedObject, nullableNumber, nullableString } from "./nullable.ts";

/** A whole id. */
export const JOB_ID = "^[0-9a-f]{64}$";
const SHA256 = Type.String({ pattern: JOB_ID, description: "64 hexadecimal digits" });
const BYTES = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const WORKLOAD = Type.String({ pattern: "^[a-z0-9-]{1,64}$", description: "kind of work" });
const STATE = Type.Enum([...JOB_STATES], { description: "dead: every attempt was used up" });
/** An object of whatever the workload says. */
const ANY_OBJECT = Type.Unsafe<{ readonly [key: string]: Json }>({ type: "object", additionalProperties: true });

const NamedBlobSchema = closedObject(
  { name: Type.String({ minLength: 1, maxLength: 255 }), sha256: SHA256, bytes: BYTES },
  "A blob under the name that the job has for it.",
);

/** What is handed in. */
export const JobSpecSchema = closedObject(
  {
    workload: WORKLOAD,
    params: Type.Optional(ANY_OBJECT),
    inputs: Type.Optional(
      Type.Array(NamedBlobSchema, { maxItems: MAX_INPUTS, description: "blobs that are there already" }),
    ),
    salt: Type.Optional(
      Type.String({ pattern: "^[A-Za-z0-9_-]{0,64}$", description: "makes equal requests different jobs" }),
    ),
    maxAttempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_JOB_ATTEMPTS, description: "3 where left out" }),
    ),
  },
  "One request for work: the same one is the same job.",
);

/** What became of a request. */
export const SubmittedSchema = closedObject(
  { id: SHA256, isNew: Type.Boolean({ description: "false: it was there already" }), state: STATE },
  "What became of a request.",
);

const ProgressSchema = nullable(
  closedObject(
    {
      fraction: nullableNumber("0 … 1; null: nobody can say"),
      note: Type.String({ description: "one line for people" }),
      metrics: Type.Unsafe<{ readonly [name: string]: number }>({ type: "object", additionalProperties: true }),
    },
    "How far it is.",
  ),
);

const ErrorSchema = nullable(
  closedObject(
    {
      code: Type.String(),
      message: Type.String(),
      attempt: Type.Number(),
      worker: Type.String({ description: 'whose attempt it was; "" where none had it' }),
      atMs: Type.Number({ description: "Unix time, ms" }),
    },
    "Why the last attempt that failed did.",
  ),
);

const ABOUT = {
  id: SHA256,
  workload: WORKLOAD,
  state: STATE,
  attempts: Type.Number({ description: "that were begun" }),
  maxAttempts: Type.Number(),
  progress: ProgressSchema,
  error: ErrorSchema,
  worker: nullableString("who has it"),
  isCancelling: Type.Boolean({ description: "somebody wants it to end" }),
  submittedMs: Type.Number({ description: "Unix time, ms" }),
  startedMs: nullableNumber("Unix time of the newest attempt, ms"),
  endedMs: nullableNumber("Unix time, ms"),
  dueMs: Type.Number({ description: "not tried before this Unix time, ms" }),
};

/** A job as a list has it. */
const JobRowSchema = closedObject(
  { ...ABOUT, inputs: Type.Array(Type.String(), { description: "names" }) },
  "A job as a list has it.",
);
export type JobRow = Static<typeof JobRowSchema>;

/** A page of the jobs. */
export const JobsSchema = closedObject(
  {
    jobs: Type.Array(JobRowSchema, { description: "newest first" }),
    next: nullableString("`before` of the next page; null: this is the last one"),
  },
  "A page of the jobs.",
);
export type JobsAnswer = Static<typeof JobsSchema>;

/** All of a job. */
export const JobSchema = closedObject(
  {
    ...ABOUT,
    params: ANY_OBJECT,
    inputs: Type.Array(NamedBlobSchema),
    salt: Type.String(),
    result: nullable(
      closedObject(
        { value: ANY_OBJECT, outputs: Type.Array(NamedBlobSchema, { maxItems: MAX_OUTPUTS }) },
        "What it left; the outputs are blobs.",
      ),
    ),
  },
  "All of a job.",
);
export type JobAnswer = Static<typeof JobSchema>;

/** What a job said. */
export const JobLogSchema = closedObject(
  { lines: Type.Array(Type.String(), { description: "oldest first; the newest 1,000" }) },
  "What a job said.",
);

/** What was forgotten. */
export const PrunedSchema = closedObject(
  { pruned: Type.Array(SHA256, { description: "ids" }) },
  "Jobs that were forgotten.",
);

/** Bytes that are kept. */
export const BlobSchema = closedObject({ sha256: SHA256, bytes: BYTES }, "Bytes that are kept, by what they are.");

function nullable<Schema extends TObject>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}
