import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { type Field, field, u53 } from "../field.ts";
import { fromHex, toHex } from "../hex.ts";

// What frames about jobs have in common: protocol/SPEC.md, section 10.

/** Where a job stands; on the wire the index. @see protocol/SPEC.md, section 10.2 */
export const JOB_STATES = ["queued", "running", "done", "failed", "dead", "cancelled"] as const;

/** One of {@link JOB_STATES}. */
export type JobState = (typeof JOB_STATES)[number];

/** Most bytes of a job's parameters, and of its result's value, as JSON. */
export const MAX_JOB_JSON_BYTES = 32_768;
/** Most inputs of a job, and most outputs. */
export const MAX_JOB_BLOBS = 64;
/** Most attempts that a job may be given. */
export const MAX_JOB_ATTEMPTS = 100;

/** Bytes that a job reads or wrote, by what they are, under the name that the job has for them. */
export interface JobBlob {
  /** 1 … 255 bytes of UTF-8; names of one job's inputs differ, and so do those of its outputs. */
  readonly name: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** u53: how many there are. */
  readonly bytes: number;
}

const ID = field("id", 32, 32);
const STATE = field("state", 0, JOB_STATES.length - 1);
const BLOB = field("blob", 0, 0xffff_ffff);
const BLOB_ELEMENTS = 3;
const NAME = field("blob name", 1, 255);
const SHA256 = field("blob sha256", 32, 32);
const BYTES = u53("blob bytes");

/** Write a job's id, hexadecimal digits here. @throws {FrameError} `out-of-range` */
export function writeJobId(writer: CborWriter, id: string): void {
  writer.byteString(fromHex(id, ID, writer.length), ID);
}

/** Mirrors {@link writeJobId}. @throws {FrameError} as CborReader.byteString */
export function readJobId(reader: CborReader): string {
  return toHex(reader.byteString(ID));
}

/** Write a state by its number. @throws {FrameError} `out-of-range` for one without a number */
export function writeJobState(writer: CborWriter, state: JobState): void {
  writer.int(JOB_STATES.indexOf(state), STATE);
}

/** Mirrors {@link writeJobState}. @throws {FrameError} as CborReader.uint */
export function readJobState(reader: CborReader): JobState {
  return JOB_STATES[reader.uint(STATE)] ?? "queued";
}

/** Write inputs or outputs. @param into  the array @throws {FrameError} `out-of-range`, also for a name given twice */
export function writeBlobs(writer: CborWriter, blobs: readonly JobBlob[], into: Field): void {
  checkNames(blobs, into, writer.length);
  writer.array(blobs.length, into);
  for (const { name, sha256, bytes } of blobs) {
    writer.array(BLOB_ELEMENTS, BLOB);
    writer.text(name, NAME);
    writer.byteString(fromHex(sha256, SHA256, writer.length), SHA256);
    writer.int(bytes, BYTES);
  }
}

/** Mirrors {@link writeBlobs}. @throws {FrameError} as the reader's items; `wrong-shape` for other counts of elements */
export function readBlobs(reader: CborReader, from: Field): JobBlob[] {
  const start = reader.offset;
  const blobs: JobBlob[] = [];
  for (let count = reader.array(from); count > 0; count--) {
    const offset = reader.offset;
    const have = reader.array(BLOB);
    if (have !== BLOB_ELEMENTS) {
      throw new FrameError("wrong-shape", { offset, field: BLOB.name, need: BLOB_ELEMENTS, have });
    }
    const name = reader.text(NAME);
    const sha256 = toHex(reader.byteString(SHA256));
    blobs.push({ name, sha256, bytes: reader.uint(BYTES) });
  }
  checkNames(blobs, from, start);
  return blobs;
}

function checkNames(blobs: readonly JobBlob[], { name: fieldName }: Field, offset: number): void {
  if (new Set(blobs.map(({ name }) => name)).size < blobs.length) {
    throw new FrameError("out-of-range", { offset, field: fieldName });
  }
}
