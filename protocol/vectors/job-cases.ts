import type { ExchangeFrame, JobBlob, JobFrame, ResultFrame } from "../src/index.ts";

/** Values of golden frames about jobs, written by hand; `frame-cases.ts` takes them in. */

const U16 = 0xffff;
const U32 = 0xffff_ffff;
const U53 = Number.MAX_SAFE_INTEGER;
const NONCE = 0x1234_5678;
const ID = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ZEROS = "00".repeat(32);
const ONES = "ff".repeat(32);

/** One golden frame about a job. */
export interface JobCase {
  readonly name: string;
  readonly about: string;
  readonly frame: JobFrame | ResultFrame | ExchangeFrame;
}

/** Every golden frame about a job that is accepted. */
export const JOB_CASES: readonly JobCase[] = [
  {
    name: "job-submit",
    about: "compress a recording",
    frame: {
      kind: "job",
      op: "submit",
      nonce: NONCE,
      workload: "telemetry",
      params: json('{"eps":0.5}'),
      inputs: [{ name: "imu.csv", sha256: ID, bytes: 70_000 }],
      salt: "",
      attempts: 0,
    },
  },
  {
    name: "job-submit-least",
    about: "nothing that could be left out",
    frame: {
      kind: "job",
      op: "submit",
      nonce: 0,
      workload: "a",
      params: json("{}"),
      inputs: [],
      salt: "",
      attempts: 0,
    },
  },
  {
    name: "job-submit-largest",
    about: "every number and text at its limit, as much of everything as there may be",
    frame: {
      kind: "job",
      op: "submit",
      nonce: U32,
      workload: "w".repeat(64),
      params: json(`{"a":"${"x".repeat(32_760)}"}`),
      inputs: largestBlobs(),
      salt: "s".repeat(64),
      attempts: 100,
    },
  },
  { name: "job-cancel", about: "let it end", frame: { kind: "job", op: "cancel", nonce: NONCE, id: ID } },
  { name: "job-ask", about: "how does it stand?", frame: { kind: "job", op: "ask", nonce: U32, id: ONES } },
  {
    name: "job-ask-shortest",
    about: "zeros throughout",
    frame: { kind: "job", op: "ask", nonce: 0, id: ZEROS },
  },

  {
    name: "result-accepted",
    about: "it is in the queue",
    frame: { kind: "result", op: "accepted", nonce: NONCE, id: ID, isNew: true, state: "queued" },
  },
  {
    name: "result-accepted-before",
    about: "it was there before, and is over",
    frame: { kind: "result", op: "accepted", nonce: NONCE, id: ID, isNew: false, state: "cancelled" },
  },
  {
    name: "result-progress",
    about: "a third of it",
    frame: {
      kind: "result",
      op: "progress",
      nonce: NONCE,
      id: ID,
      state: "running",
      fraction: 3333,
      note: "block 2 of 6",
      attempts: 1,
    },
  },
  {
    name: "result-progress-unknown",
    about: "nobody can say how far it is",
    frame: {
      kind: "result",
      op: "progress",
      nonce: NONCE,
      id: ID,
      state: "queued",
      fraction: null,
      note: "",
      attempts: 0,
    },
  },
  {
    name: "result-progress-largest",
    about: "every number and text at its limit",
    frame: {
      kind: "result",
      op: "progress",
      nonce: U32,
      id: ONES,
      state: "cancelled",
      fraction: 10_000,
      note: "√".repeat(66).padEnd(68, "."),
      attempts: 100,
    },
  },
  {
    name: "result-done",
    about: "what became of it",
    frame: {
      kind: "result",
      op: "done",
      nonce: NONCE,
      id: ID,
      value: json('{"ratio":6.5}'),
      outputs: [{ name: "imu.lsr", sha256: ONES, bytes: 4096 }],
    },
  },
  {
    name: "result-done-largest",
    about: "as much of everything as there may be",
    frame: {
      kind: "result",
      op: "done",
      nonce: U32,
      id: ONES,
      value: json(`{"a":"${"x".repeat(32_760)}"}`),
      outputs: largestBlobs(),
    },
  },
  {
    name: "result-failed",
    about: "every attempt was used up",
    frame: {
      kind: "result",
      op: "failed",
      nonce: NONCE,
      id: ID,
      state: "dead",
      code: "out-of-memory",
      message: "the worker's thread had 256 MiB and wanted more",
      attempts: 3,
    },
  },
  {
    name: "result-failed-not-now",
    about: "what was asked for may be asked for again",
    frame: {
      kind: "result",
      op: "failed",
      nonce: 0,
      id: ZEROS,
      state: "queued",
      code: "queue-away",
      message: "",
      attempts: 0,
    },
  },
  {
    name: "result-failed-largest",
    about: "every number and text at its limit",
    frame: {
      kind: "result",
      op: "failed",
      nonce: U32,
      id: ONES,
      state: "cancelled",
      code: "c".repeat(32),
      message: "é".repeat(250),
      attempts: 100,
    },
  },
  {
    name: "result-cancelled-shortest",
    about: "somebody wanted it to end",
    frame: { kind: "result", op: "cancelled", nonce: 0, id: ZEROS },
  },

  {
    name: "exchange",
    about: "the first piece of a message",
    frame: {
      kind: "exchange",
      job: "0001020304050607",
      from: 0,
      to: 3,
      seq: 0,
      isLast: false,
      payload: Uint8Array.of(1, 2, 3, 4),
    },
  },
  {
    name: "exchange-shortest",
    about: "a message of no bytes",
    frame: {
      kind: "exchange",
      job: "0000000000000000",
      from: 0,
      to: 0,
      seq: 0,
      isLast: true,
      payload: new Uint8Array(),
    },
  },
  {
    name: "exchange-largest",
    about: "every number at its limit, as many bytes as there may be",
    frame: {
      kind: "exchange",
      job: "ffffffffffffffff",
      from: U16,
      to: U16,
      seq: U32,
      isLast: true,
      payload: Uint8Array.from({ length: 61_440 }, (_, i) => i & 0xff),
    },
  },
];

function json(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function largestBlobs(): JobBlob[] {
  return Array.from({ length: 64 }, (_, i) => ({ name: `${i}`.padStart(255, "n"), sha256: ONES, bytes: U53 }));
}
