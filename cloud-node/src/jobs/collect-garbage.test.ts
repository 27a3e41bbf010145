import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BlobRef } from "./blob-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import type { JobQueue } from "./job-queue.ts";
import { TrialBlobs } from "./trial-blobs.suite.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-garbage-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Renews a blob as it is about to be removed, as somebody does who hands a job in at this very moment. */
class RenewedBlobs extends TrialBlobs {
  override async remove(sha256: string, putBeforeMs?: number): Promise<boolean> {
    await this.renew({ sha256, bytes: (await this.stat(sha256))?.bytes ?? 0 });
    return await super.remove(sha256, putBeforeMs);
  }
}

function old(blobs: TrialBlobs, text: string): BlobRef {
  const ref = blobs.add(text);
  utimesSync(join(folder, ref.sha256.slice(0, 2), ref.sha256), 1, 1);
  return ref;
}

test("what is renewed at the last moment stays", async () => {
  const blobs = new RenewedBlobs(folder);
  const ref = old(blobs, "bytes");
  const queue = { references: async () => new Set<string>() } satisfies Partial<JobQueue>;
  expect(await collectGarbage(queue as unknown as JobQueue, blobs, Date.now())).toEqual({ blobs: 0, bytes: 0 });
  expect(await blobs.stat(ref.sha256)).toMatchObject(ref);
});

test("the jobs are asked once about blobs that they name, however many", async () => {
  const blobs = new TrialBlobs(folder);
  const named = new Set(Array.from({ length: 600 }, (_, i) => old(blobs, `bytes ${i}`).sha256));
  const garbage = old(blobs, "of nobody");
  let asked = 0;
  const queue = {
    references: async () => {
      asked += 1;
      return named;
    },
  } satisfies Partial<JobQueue>;
  const gone = await collectGarbage(queue as unknown as JobQueue, blobs, Date.now());
  expect(gone).toEqual({ blobs: 1, bytes: garbage.bytes });
  expect(asked).toBe(1);
});

test("what a job names that is handed in during a long collection stays", async () => {
  const blobs = new TrialBlobs(folder);
  const refs = Array.from({ length: 600 }, (_, i) => old(blobs, `bytes ${i}`));
  let asked = 0;
  const named = new Set<string>();
  const queue = {
    references: async () => {
      asked += 1;
      // Handed in after the first ones are forgotten.
      if (asked === 2) for (const { sha256 } of refs) if (await blobs.stat(sha256)) named.add(sha256);
      return named;
    },
  } satisfies Partial<JobQueue>;
  const { blobs: gone } = await collectGarbage(queue as unknown as JobQueue, blobs, Date.now());
  expect(named.size).toBeGreaterThan(0);
  expect(gone).toBe(refs.length - named.size);
  for (const sha256 of named) expect(await blobs.stat(sha256)).toBeDefined();
});
