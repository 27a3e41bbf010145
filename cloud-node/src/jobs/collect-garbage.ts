import type { BlobFacts, BlobStore } from "./blob-store.ts";
import type { JobQueue } from "./job-queue.ts";

/** Bytes are put before the job that names them is handed in: nobody takes longer from one to the other. */
const GRACE_MS = 3_600_000;
/** So many are forgotten before it is asked again which ones are named by now. */
const BATCH_BLOBS = 256;

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
  const old: BlobFacts[] = [];
  for await (const facts of blobs.list()) if (facts.putMs < beforeMs) old.push(facts);
  const garbage = { blobs: 0, bytes: 0 };
  let references = old.length === 0 ? new Set<string>() : await queue.references();
  const unnamed = old.filter(({ sha256 }) => !references.has(sha256));
  for (let at = 0; at < unnamed.length; at += BATCH_BLOBS) {
    // Anew: a job that was handed in meanwhile may name what was put long ago.
    if (at > 0) references = await queue.references();
    for (const { sha256, bytes } of unnamed.slice(at, at + BATCH_BLOBS)) {
      // Renewed since: somebody is about to name it.
      if (references.has(sha256) || !(await blobs.remove(sha256, beforeMs))) continue;
      garbage.blobs += 1;
      garbage.bytes += bytes;
    }
  }
  await blobs.forgetBegun(beforeMs);
  return garbage;
}
