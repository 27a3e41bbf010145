import { createHash } from "node:crypto";
import { jobContent as canonicalContent, formatJsonObject, isBlobName } from "@lockstep/protocol";
import { checkJson } from "./check-json.ts";
import {
  type JobResult,
  type JobSpec,
  type JsonObject,
  MAX_INPUTS,
  MAX_OUTPUTS,
  MAX_PARAMS_BYTES,
  MAX_RESULT_BYTES,
  type NamedBlob,
} from "./job.ts";
import { JobError } from "./job-error.ts";

const WORKLOAD = /^[a-z0-9-]{1,64}$/;
const SALT = /^[A-Za-z0-9_-]{0,64}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Whether a text is a SHA-256 as jobs and blobs are named by: 64 lower-case hexadecimal digits. */
export function isSha256(text: string): boolean {
  return SHA256.test(text);
}

/**
 * SHA-256 of a job's content, written canonically: the same request has the same id, whoever makes it.
 *
 * @returns 64 lower-case hexadecimal digits
 * @throws {JobError} `bad-job`, `bad-params`, `too-large`
 */
export function jobId(spec: JobSpec): string {
  return jobContent(spec).id;
}

/** A request for work, checked. */
export interface JobContent {
  readonly id: string;
  /** What the id is the hash of: canonical JSON of workload, params, inputs as `[name, sha256, bytes]` by name, and salt. */
  readonly canonical: string;
}

/**
 * Check a request for work, which anybody may have written.
 *
 * @throws {JobError} `bad-job`, `bad-params`, `too-large`
 */
export function jobContent(spec: JobSpec): JobContent {
  const { workload, salt } = spec;
  if (typeof workload !== "string" || !WORKLOAD.test(workload)) {
    throw new JobError("bad-job", `workload ${shown(workload)}`, "1 … 64 of a-z, 0-9 and -");
  }
  if (typeof salt !== "string" || !SALT.test(salt)) {
    throw new JobError("bad-job", `salt ${shown(salt)}`, "at most 64 of A-Z, a-z, 0-9, _ and -");
  }
  const params = checkedObject(spec.params, "params", MAX_PARAMS_BYTES);
  const inputs = checkedBlobs(spec.inputs, "input", MAX_INPUTS);
  const canonical = canonicalContent({ workload, params, inputs, salt });
  return { id: createHash("sha256").update(canonical).digest("hex"), canonical };
}

/** A request for work as its canonical text has it. @param canonical  as {@link jobContent} made it */
export function specOf(canonical: string): JobSpec {
  const { workload, params, inputs, salt } = JSON.parse(canonical) as Omit<JobSpec, "inputs"> & {
    readonly inputs: readonly (readonly [string, string, number])[];
  };
  return { workload, params, inputs: inputs.map(([name, sha256, bytes]) => ({ name, sha256, bytes })), salt };
}

/**
 * Check what a job left.
 *
 * @returns its copy, as JSON has it
 * @throws {JobError} `too-large`, `bad-params` for a value that JSON cannot say, `bad-job` for outputs that are no blobs
 */
export function checkedResult(result: JobResult): JobResult {
  return {
    value: checkedObject(result.value, "result", MAX_RESULT_BYTES),
    outputs: checkedBlobs(result.outputs, "output", MAX_OUTPUTS),
  };
}

/** Refuse what does not name a blob. @throws {JobError} `bad-job` */
export function checkRef({ sha256, bytes }: { readonly sha256: string; readonly bytes: number }, what: string): void {
  if (typeof sha256 !== "string" || !isSha256(sha256)) {
    throw new JobError("bad-job", `sha256 of ${what} is ${shown(sha256)}`, "64 lower-case hexadecimal digits");
  }
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new JobError("bad-job", `bytes of ${what} are ${shown(bytes)}`, "an integer of 0 … 2^53 - 1");
  }
}

/** @returns its copy, as JSON has it */
function checkedObject(value: unknown, what: string, maxBytes: number): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new JobError("bad-params", `${what}: not an object`, "give a JSON object");
  }
  checkJson(value, what);
  const text = formatJsonObject(value as JsonObject);
  if (text.length > maxBytes) {
    const problem = `${what}: ${text.length} bytes of JSON`;
    throw new JobError("too-large", problem, `at most ${maxBytes}; give the rest as a blob`);
  }
  return JSON.parse(Buffer.from(text).toString()) as JsonObject;
}

function checkedBlobs(blobs: readonly NamedBlob[], what: string, most: number): NamedBlob[] {
  if (!Array.isArray(blobs)) throw new JobError("bad-job", `${what}s: not a list`, "give a list of blobs");
  if (blobs.length > most) throw new JobError("too-large", `${blobs.length} ${what}s`, `at most ${most}`);
  const names = new Set<string>();
  // Not `map`: it leaves out what an array does not have.
  return Array.from(blobs as readonly unknown[], (blob, i) => {
    if (typeof blob !== "object" || blob === null) throw new JobError("bad-job", `${what} ${i}`, "give a blob");
    const { name, sha256, bytes } = blob as NamedBlob;
    if (typeof name !== "string" || !isBlobName(name)) {
      throw new JobError("bad-job", `name of ${what} ${i}: ${shown(name)}`, "1 … 255 bytes, a file's name");
    }
    checkRef({ sha256, bytes }, `${what} ${name}`);
    if (names.has(name)) throw new JobError("bad-job", `two ${what}s are named ${name}`, "names must differ");
    names.add(name);
    return { name, sha256, bytes };
  });
}

/** What was given, short and on one line. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80).toWellFormed());
  return typeof value === "number" ? `${value}` : typeof value;
}
