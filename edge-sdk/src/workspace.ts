import type { CoreMemory } from "./core-memory.ts";

/** Bytes of one channel-sample in the workspace: a sample and its status. */
const SAMPLE_BYTES = 5;

/** How the scratch of one call is divided: a part of the rows at a time, and the payload after them. */
export interface Workspace {
  /** Rows that one call of the core handles, >= 1. */
  readonly rows: number;
  /** Address of i32 (rows, channels). */
  readonly samples: number;
  /** Address of u8 (rows, channels). */
  readonly statuses: number;
  readonly payload: number;
  readonly payloadBytes: number;
}

/** Divide scratch memory: all rows if they fit, else as many as half of it holds; the rest is for the payload. */
export function divideScratch(memory: CoreMemory, rows: number, channels: number, payloadBytes: number): Workspace {
  const rowBytes = SAMPLE_BYTES * channels;
  const { at, bytes } = memory.scratch(rows * rowBytes + payloadBytes);
  const part = Math.max(1, Math.min(rows, Math.floor(bytes / 2 / rowBytes)));
  const statuses = at + 4 * channels * part;
  const payload = statuses + channels * part;
  return { rows: part, samples: at, statuses, payload, payloadBytes: at + bytes - payload };
}
