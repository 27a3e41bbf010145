import {
  MAX_CODE_BYTES,
  MAX_MESSAGE_TEXT_BYTES,
  MAX_NOTE_BYTES,
  type ResultFailedFrame,
  type ResultFrame,
} from "@lockstep/protocol";
import type { Job } from "../jobs/job.ts";

const WHOLE = 10_000;

/** How a job stands, or how it ended, as whoever follows it is told. @param nonce  of who is told */
export function jobAnswer(job: Job, nonce: number): ResultFrame {
  const { id, state, attempts, progress, error, result } = job;
  const head = { kind: "result", nonce, id } as const;
  if (state === "cancelled") return { ...head, op: "cancelled" };
  if (state === "done") {
    const value = new TextEncoder().encode(JSON.stringify(result?.value ?? {}));
    return { ...head, op: "done", value, outputs: result?.outputs ?? [] };
  }
  if (state === "failed" || state === "dead") {
    return failedAnswer({ id, nonce, state, code: error?.code ?? "failed", message: error?.message ?? "", attempts });
  }
  const { fraction = null, note = "" } = progress ?? {};
  const done =
    fraction === null || Number.isNaN(fraction) ? null : Math.round(Math.min(Math.max(fraction, 0), 1) * WHOLE);
  return { ...head, op: "progress", state, fraction: done, note: oneLine(note, MAX_NOTE_BYTES), attempts };
}

/** A failure, its texts cut to what a frame carries. */
export function failedAnswer(facts: Omit<ResultFailedFrame, "kind" | "op">): ResultFailedFrame {
  const code = oneLine(facts.code, MAX_CODE_BYTES) || "failed";
  return { ...facts, kind: "result", op: "failed", code, message: oneLine(facts.message, MAX_MESSAGE_TEXT_BYTES) };
}

/** A text without what would break a line, or a frame: whole characters, as many as fit. */
function oneLine(text: string, maxBytes: number): string {
  // Four bytes are the most of any character, so what is beyond is never needed.
  const plain = text
    .slice(0, maxBytes)
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  const bytes = new TextEncoder().encode(plain);
  if (bytes.length <= maxBytes) return plain;
  let end = maxBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
