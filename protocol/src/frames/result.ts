import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { field, u16 } from "../field.ts";
import type { VariedFrameLayout } from "../frame-layout.ts";
import {
  type JobBlob,
  type JobState,
  MAX_JOB_ATTEMPTS,
  MAX_JOB_BLOBS,
  MAX_JOB_JSON_BYTES,
  readBlobs,
  readJobId,
  readJobState,
  writeBlobs,
  writeJobId,
  writeJobState,
} from "./job-parts.ts";
import { NONCE } from "./numbers.ts";
import { OpTable } from "./op-table.ts";

/** What every result frame has. */
export interface ResultHead<Op extends string> {
  readonly kind: "result";
  readonly op: Op;
  /** u32, echoed from the job frame */
  readonly nonce: number;
  /** 64 lower-case hexadecimal digits; zeros where no job could be made out. */
  readonly id: string;
}

/** The job is in the queue, for good. */
export interface ResultAcceptedFrame extends ResultHead<"accepted"> {
  /** False: it was there before. */
  readonly isNew: boolean;
  readonly state: JobState;
}

/** How far the job is. */
export interface ResultProgressFrame extends ResultHead<"progress"> {
  readonly state: JobState;
  /** 0 … 10,000 ten-thousandths; null: nobody can say. */
  readonly fraction: number | null;
  /** 0 … {@link MAX_NOTE_BYTES} bytes: one line for people. */
  readonly note: string;
  /** Attempts that were begun, 0 … {@link MAX_JOB_ATTEMPTS}. */
  readonly attempts: number;
}

/** The job is done. */
export interface ResultDoneFrame extends ResultHead<"done"> {
  /** 2 … {@link MAX_JOB_JSON_BYTES} bytes: a JSON object, in UTF-8. */
  readonly value: Uint8Array;
  /** At most {@link MAX_JOB_BLOBS}; names differ. */
  readonly outputs: readonly JobBlob[];
}

/** It failed, was never taken in, or what was asked for could not be done now: `state` says which. */
export interface ResultFailedFrame extends ResultHead<"failed"> {
  /** failed, dead: it is over; any other: it stands as it did, and the same may be said again later. */
  readonly state: JobState;
  /** 1 … {@link MAX_CODE_BYTES} bytes: what programs tell failures apart by. */
  readonly code: string;
  /** 0 … {@link MAX_MESSAGE_TEXT_BYTES} bytes: one line for people. */
  readonly message: string;
  /** Attempts that were begun, 0 … {@link MAX_JOB_ATTEMPTS}; 0: nobody ever worked on it. */
  readonly attempts: number;
}

/** It ended because somebody wanted it to. */
export type ResultCancelledFrame = ResultHead<"cancelled">;

/** Kind 13: what the cloud says about a job. @see protocol/SPEC.md, section 10.2 */
export type ResultFrame =
  | ResultAcceptedFrame
  | ResultProgressFrame
  | ResultDoneFrame
  | ResultFailedFrame
  | ResultCancelledFrame;

/** Most bytes of a progress's note. */
export const MAX_NOTE_BYTES = 200;
/** Most bytes of a failure's code. */
export const MAX_CODE_BYTES = 32;
/** Most bytes of a failure's message. */
export const MAX_MESSAGE_TEXT_BYTES = 500;

/** Elements of a frame with head, nonce, op, id and seal alone. */
const LEAST_ELEMENTS = 5;
/** By the number on the wire. */
const OPS = new OpTable<ResultFrame["op"]>([
  { op: "accepted", elements: 7 },
  { op: "progress", elements: 9 },
  { op: "done", elements: 7 },
  { op: "failed", elements: 9 },
  { op: "cancelled", elements: LEAST_ELEMENTS },
]);

const IS_NEW = field("is new", 0, 1);
const FRACTION = u16("fraction");
const MOST_FRACTION = 10_000;
const NOBODY_KNOWS = FRACTION.max;
const NOTE = field("note", 0, MAX_NOTE_BYTES);
const ATTEMPTS = field("attempts", 0, MAX_JOB_ATTEMPTS);
const VALUE = field("value", 2, MAX_JOB_JSON_BYTES);
const OUTPUTS = field("outputs", 0, MAX_JOB_BLOBS);
const CODE = field("code", 1, MAX_CODE_BYTES);
const MESSAGE = field("message", 0, MAX_MESSAGE_TEXT_BYTES);

export const RESULT_LAYOUT: VariedFrameLayout<ResultFrame> = {
  kindCode: 13,
  leastElements: LEAST_ELEMENTS,
  sealing: "plain",
  elementsOf: ({ op }) => OPS.elementsOf(op) ?? LEAST_ELEMENTS,
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    OPS.write(writer, frame.op);
    writeJobId(writer, frame.id);
    writeRest(writer, frame);
  },
  decode(reader, elements) {
    const nonce = reader.uint(NONCE);
    const op = OPS.read(reader, elements);
    return readRest(reader, op, nonce, readJobId(reader));
  },
};

function writeRest(writer: CborWriter, frame: ResultFrame): void {
  switch (frame.op) {
    case "accepted":
      writer.int(frame.isNew ? 1 : 0, IS_NEW);
      writeJobState(writer, frame.state);
      return;
    case "progress":
      writeJobState(writer, frame.state);
      checkFraction(frame.fraction, writer.length);
      writer.int(frame.fraction ?? NOBODY_KNOWS, FRACTION);
      writer.text(frame.note, NOTE);
      writer.int(frame.attempts, ATTEMPTS);
      return;
    case "done":
      writer.byteString(frame.value, VALUE);
      writeBlobs(writer, frame.outputs, OUTPUTS);
      return;
    case "failed":
      writeJobState(writer, frame.state);
      writer.text(frame.code, CODE);
      writer.text(frame.message, MESSAGE);
      writer.int(frame.attempts, ATTEMPTS);
      return;
    case "cancelled":
  }
}

function readRest(reader: CborReader, op: ResultFrame["op"], nonce: number, id: string): ResultFrame {
  switch (op) {
    case "accepted": {
      const isNew = reader.uint(IS_NEW) === 1;
      return { kind: "result", op, nonce, id, isNew, state: readJobState(reader) };
    }
    case "progress": {
      const state = readJobState(reader);
      const offset = reader.offset;
      const read = reader.uint(FRACTION);
      const fraction = read === NOBODY_KNOWS ? null : read;
      checkFraction(fraction, offset);
      const note = reader.text(NOTE);
      return { kind: "result", op, nonce, id, state, fraction, note, attempts: reader.uint(ATTEMPTS) };
    }
    case "done": {
      const value = reader.byteString(VALUE);
      return { kind: "result", op, nonce, id, value, outputs: readBlobs(reader, OUTPUTS) };
    }
    case "failed": {
      const state = readJobState(reader);
      const code = reader.text(CODE);
      const message = reader.text(MESSAGE);
      return { kind: "result", op, nonce, id, state, code, message, attempts: reader.uint(ATTEMPTS) };
    }
    case "cancelled":
      return { kind: "result", op, nonce, id };
  }
}

/** Between all of it and the number for nobody knows nothing has a meaning. */
function checkFraction(fraction: number | null, offset: number): void {
  if (fraction !== null && !(fraction <= MOST_FRACTION)) {
    throw new FrameError("out-of-range", { offset, field: FRACTION.name, have: fraction, limit: MOST_FRACTION });
  }
}
