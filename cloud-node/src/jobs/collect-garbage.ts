import type { BlobStore } from "./blob-store.ts";
import type { JobQueue } from "./job-queue.ts";

/** Bytes are put before the job that names them is handed in: nobody takes longer from one to the other. */
const GRACE_MS = 3_600_000;

/** What was forgotten. */
export interface Garbage {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Forget the blobs that no job names, and what broken uploads left.
 *
 * @param nowMs  Unix time; what was put within the hour before it stays
 * @throws {JobError} `queue-away`
 */
export async function collectGarbage(queue: JobQueue, blobs: BlobStore, nowMs: number): Promise<Garbage> {
  const beforeMs = nowMs - GRACE_MS;
  const old: string[] = [];
  for await (const { sha256, putMs } of blobs.list()) if (putMs < beforeMs) old.push(sha256);
  // Only now: a job that was handed in meanwhile may name what was put long ago.
  const references = await queue.references();
  const garbage = { blobs: 0, bytes: 0 };
  for (const sha256 of old.filter((name) => !references.has(name))) {
    const facts = await blobs.stat(sha256);
    // Put again since: somebody is about to name it.
    if (facts === undefined || facts.putMs >= beforeMs) continue;
    if (!(await blobs.remove(sha256))) continue;
    garbage.blobs += 1;
    garbage.bytes += facts.bytes;
  }
  await blobs.forgetBegun(beforeMs);
  return garbage;
}
