import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { field } from "../field.ts";
import type { VariedFrameLayout } from "../frame-layout.ts";
import {
  type JobBlob,
  MAX_JOB_ATTEMPTS,
  MAX_JOB_BLOBS,
  MAX_JOB_JSON_BYTES,
  readBlobs,
  readJobId,
  writeBlobs,
  writeJobId,
} from "./job-parts.ts";
import { NONCE } from "./numbers.ts";
import { OpTable } from "./op-table.ts";

/** What every job frame has. */
export interface JobHead<Op extends string> {
  readonly kind: "job";
  readonly op: Op;
  /** u32 of who speaks, new whenever its program starts; echoed in every answer. */
  readonly nonce: number;
}

/** Hand a job in. */
export interface JobSubmitFrame extends JobHead<"submit"> {
  /** 1 … 64 bytes. */
  readonly workload: string;
  /** 2 … {@link MAX_JOB_JSON_BYTES} bytes: a JSON object, in UTF-8. */
  readonly params: Uint8Array;
  /** At most {@link MAX_JOB_BLOBS}; names differ. */
  readonly inputs: readonly JobBlob[];
  /** 0 … 64 bytes: makes equal requests different jobs. */
  readonly salt: string;
  /** Of which the last one that fails is the job's end, 0 … {@link MAX_JOB_ATTEMPTS}; 0: as many as the cloud gives. */
  readonly attempts: number;
}

/** Let a job end (cancel), or ask how it stands and hear of it from now on (ask). */
export interface JobNamedFrame extends JobHead<"cancel" | "ask"> {
  /** 64 lower-case hexadecimal digits: `jobContentId` of what was handed in. */
  readonly id: string;
}

/** Kind 12: what a program says about jobs. @see protocol/SPEC.md, section 10.1 */
export type JobFrame = JobSubmitFrame | JobNamedFrame;

/** Elements of a frame with head, nonce, op, id and seal alone. */
const LEAST_ELEMENTS = 5;
/** By the number on the wire. */
const OPS = new OpTable<JobFrame["op"]>([
  { op: "submit", elements: 9 },
  { op: "cancel", elements: LEAST_ELEMENTS },
  { op: "ask", elements: LEAST_ELEMENTS },
]);

const WORKLOAD = field("workload", 1, 64);
const PARAMS = field("params", 2, MAX_JOB_JSON_BYTES);
const INPUTS = field("inputs", 0, MAX_JOB_BLOBS);
const SALT = field("salt", 0, 64);
const ATTEMPTS = field("attempts", 0, MAX_JOB_ATTEMPTS);

export const JOB_LAYOUT: VariedFrameLayout<JobFrame> = {
  kindCode: 12,
  leastElements: LEAST_ELEMENTS,
  sealing: "plain",
  elementsOf: ({ op }) => OPS.elementsOf(op) ?? LEAST_ELEMENTS,
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    OPS.write(writer, frame.op);
    if (frame.op === "submit") writeSubmit(writer, frame);
    else writeJobId(writer, frame.id);
  },
  decode(reader, elements) {
    const nonce = reader.uint(NONCE);
    const op = OPS.read(reader, elements);
    if (op === "submit") return readSubmit(reader, nonce);
    return { kind: "job", op, nonce, id: readJobId(reader) };
  },
};

function writeSubmit(writer: CborWriter, frame: JobSubmitFrame): void {
  writer.text(frame.workload, WORKLOAD);
  writer.byteString(frame.params, PARAMS);
  writeBlobs(writer, frame.inputs, INPUTS);
  writer.text(frame.salt, SALT);
  writer.int(frame.attempts, ATTEMPTS);
}

function readSubmit(reader: CborReader, nonce: number): JobSubmitFrame {
  const workload = reader.text(WORKLOAD);
  const params = reader.byteString(PARAMS);
  const inputs = readBlobs(reader, INPUTS);
  const salt = reader.text(SALT);
  return { kind: "job", op: "submit", nonce, workload, params, inputs, salt, attempts: reader.uint(ATTEMPTS) };
}
