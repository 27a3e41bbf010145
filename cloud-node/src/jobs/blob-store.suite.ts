import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allOf, BYTES, bytesOf, CHUNK, refOf, sourceOf } from "./blob-bytes.suite.ts";
import type { BlobStore } from "./blob-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import type { JobQueue } from "./job-queue.ts";
import { ABSENT, codeOf, SHA } from "./queue-rig.suite.ts";

/** Blobs somewhere, that any number of processes may have open. */
export interface BlobRig {
  /** Open them, as another process would. */
  open(): Promise<BlobStore>;
  /** Change a byte of a blob where it lies, or cut its last one off. */
  damage(sha256: string, how: "change" | "cut"): Promise<void>;
  close(): Promise<void>;
}

/** What every blob store does. @param create  a rig without a blob */
export function blobStoreSuite(name: string, create: () => Promise<BlobRig>): void {
  describe(name, () => {
    let rig: BlobRig;
    /** Two processes. */
    let blobs: BlobStore;
    let other: BlobStore;
    beforeAll(async () => {
      rig = await create();
      blobs = await rig.open();
      other = await rig.open();
    });
    afterAll(async () => {
      await blobs.close();
      await other.close();
      await rig.close();
    });

    test.for([0, 1, BYTES])("%d bytes come back as they were, from any place on", async (length) => {
      const bytes = bytesOf(1, length);
      const told: number[] = [];
      const ref = await blobs.put(sourceOf(bytes).source, { onProgress: (n) => told.push(n) });
      expect(ref).toEqual(refOf(bytes));
      expect(told.at(-1) ?? 0).toBe(length);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(await other.stat(ref.sha256)).toMatchObject(ref);
      for (const offset of [0, 1, CHUNK, length]) {
        expect((await allOf(other.get(ref, { offset }))).equals(bytes.subarray(offset))).toBe(true);
      }
    });

    test("bytes that are there already are not asked for, and are as new as if they were put now", async () => {
      const bytes = bytesOf(2);
      const first = await blobs.put(sourceOf(bytes).source);
      const put = (await blobs.stat(first.sha256))?.putMs ?? 0;
      const { source, begun } = sourceOf(bytes);
      expect(await other.put(source, { expect: first })).toEqual(first);
      expect(begun).toEqual([]);
      expect((await blobs.stat(first.sha256))?.putMs).toBeGreaterThanOrEqual(put);
    });

    test("a blob is renewed by any number at once, and what is not there is not", async () => {
      const ref = await blobs.put(sourceOf(bytesOf(20)).source);
      const putMs = (await blobs.stat(ref.sha256))?.putMs ?? 0;
      const all = Array.from({ length: 12 }, (_, i) => (i % 2 ? blobs : other).renew(ref));
      expect(await Promise.all(all)).toEqual(all.map(() => true));
      expect((await blobs.stat(ref.sha256))?.putMs).toBeGreaterThanOrEqual(putMs);
      expect(await blobs.renew({ ...ref, bytes: ref.bytes - 1 })).toBe(false);
      expect(await blobs.renew({ sha256: ABSENT, bytes: 1 })).toBe(false);
      expect(await codeOf(blobs.renew({ sha256: "../../etc/passwd", bytes: 1 }))).toBe("bad-job");
    });

    test("a blob that was renewed since a time is not forgotten as one put before it", async () => {
      const bytes = bytesOf(21);
      const ref = await blobs.put(sourceOf(bytes).source);
      const sinceMs = (await blobs.stat(ref.sha256))?.putMs ?? 0;
      expect(await other.renew(ref)).toBe(true);
      expect(await blobs.remove(ref.sha256, sinceMs)).toBe(false);
      expect((await allOf(other.get(ref))).equals(bytes)).toBe(true);
      expect(await blobs.begun(ref.sha256)).toBe(0);
      expect(await blobs.remove(ref.sha256, Date.now() + 60_000)).toBe(true);
      expect(await other.stat(ref.sha256)).toBeUndefined();
      expect(await blobs.remove(ref.sha256, Date.now() + 60_000)).toBe(false);
    });

    test("an upload that breaks is gone on with, by whoever puts the same bytes", async () => {
      const bytes = bytesOf(3);
      const expect_ = refOf(bytes);
      const broken = sourceOf(bytes, 500_000);
      await expect(blobs.put(broken.source, { expect: expect_ })).rejects.toThrow("the line broke");
      expect(await other.stat(expect_.sha256)).toBeUndefined();
      expect(await codeOf(allOf(other.get(expect_)))).toBe("missing-blob");
      const left = await other.begun(expect_.sha256);
      expect(left).toBeGreaterThan(0);
      const rest = sourceOf(bytes);
      expect(await other.put(rest.source, { expect: expect_ })).toEqual(expect_);
      expect(rest.begun).toEqual([left]);
      expect((await allOf(blobs.get(expect_))).equals(bytes)).toBe(true);
      expect(await blobs.begun(expect_.sha256)).toBe(0);
    });

    test("two who put the same bytes at once do not disturb each other", async () => {
      const bytes = bytesOf(4);
      const expect_ = refOf(bytes);
      const puts = [blobs, other, blobs, other].map((store) => store.put(sourceOf(bytes).source, { expect: expect_ }));
      expect(await Promise.all(puts)).toEqual([expect_, expect_, expect_, expect_]);
      expect((await allOf(other.get(expect_))).equals(bytes)).toBe(true);
    });

    test("other bytes than were foretold are refused, and nothing of them stays", async () => {
      const bytes = bytesOf(5);
      const expect_ = refOf(bytes);
      const wrong = Buffer.from(bytes);
      wrong[300_000] = (wrong[300_000] ?? 0) ^ 1;
      for (const given of [wrong, bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
        expect(await codeOf(blobs.put(sourceOf(given).source, { expect: expect_ }))).toBe("tampered-blob");
        expect(await blobs.begun(expect_.sha256)).toBe(0);
      }
      // Also where they were begun by somebody else.
      await expect(blobs.put(sourceOf(wrong, 600_000).source, { expect: expect_ })).rejects.toThrow();
      expect(await codeOf(other.put(sourceOf(bytes).source, { expect: expect_ }))).toBe("tampered-blob");
      expect(await other.put(sourceOf(bytes).source, { expect: expect_ })).toEqual(expect_);
    });

    test.for(["change", "cut"] as const)(
      "a blob that was damaged (%s) is never given as whole, and can be put again",
      async (how) => {
        const bytes = bytesOf(how === "cut" ? 6 : 7);
        const ref = await blobs.put(sourceOf(bytes).source);
        await rig.damage(ref.sha256, how);
        const given: Uint8Array[] = [];
        const read = async () => {
          for await (const chunk of other.get(ref)) given.push(chunk);
        };
        expect(await codeOf(read())).toBe("tampered-blob");
        expect(Buffer.concat(given).length).toBeLessThan(bytes.length);
        expect(await other.put(sourceOf(bytes).source, { expect: ref })).toEqual(ref);
        expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
      },
    );

    test("a reference that is wrong about the size is refused, and the blob stays", async () => {
      const bytes = bytesOf(8);
      const ref = await blobs.put(sourceOf(bytes).source);
      for (const wrong of [bytes.length - 1, bytes.length + 1, 0]) {
        expect(await codeOf(allOf(other.get({ ...ref, bytes: wrong })))).toBe("tampered-blob");
      }
      expect((await allOf(other.get(ref))).equals(bytes)).toBe(true);
    });

    test("what is no name of a blob is nowhere, and no path", async () => {
      for (const name of ["", "../../etc/passwd", SHA.toUpperCase(), `${SHA}/`]) {
        expect(await blobs.stat(name)).toBeUndefined();
        expect(await blobs.remove(name)).toBe(false);
        expect(await blobs.begun(name)).toBe(0);
        expect(await codeOf(allOf(blobs.get({ sha256: name, bytes: 1 })))).toBe("bad-job");
        const expect_ = { sha256: name, bytes: 1 };
        expect(await codeOf(blobs.put(sourceOf(Buffer.alloc(1)).source, { expect: expect_ }))).toBe("bad-job");
      }
      expect(await blobs.stat(ABSENT)).toBeUndefined();
    });

    test("a transfer ends when nobody wants it any more, and an upload is gone on with later", async () => {
      const bytes = bytesOf(9);
      const expect_ = refOf(bytes);
      const stop = new AbortController();
      const onProgress = (n: number) => n > 300_000 && stop.abort();
      const options = { expect: expect_, signal: stop.signal, onProgress };
      expect(await codeOf(blobs.put(sourceOf(bytes).source, options))).toBe("cancelled");
      expect(await blobs.begun(expect_.sha256)).toBeGreaterThan(0);
      await other.put(sourceOf(bytes).source, { expect: expect_ });
      expect(await codeOf(allOf(blobs.get(expect_, { signal: stop.signal })))).toBe("cancelled");
    });

    test("what no job names is forgotten after a time, with what broken uploads left", async () => {
      const [named, unnamed, fresh] = [bytesOf(10), bytesOf(11), bytesOf(12)].map((bytes) => ({
        bytes,
        ref: refOf(bytes),
      }));
      if (named === undefined || unnamed === undefined || fresh === undefined) return;
      await blobs.put(sourceOf(named.bytes).source);
      await blobs.put(sourceOf(unnamed.bytes).source);
      await expect(blobs.put(sourceOf(fresh.bytes, 500_000).source, { expect: fresh.ref })).rejects.toThrow();
      const queue = { references: async () => new Set([named.ref.sha256]) } satisfies Partial<JobQueue>;
      const nowMs = Date.now();
      const kept = await collectGarbage(queue as JobQueue, other, nowMs);
      expect(kept).toEqual({ blobs: 0, bytes: 0 });
      expect(await blobs.begun(fresh.ref.sha256)).toBeGreaterThan(0);
      const all: string[] = [];
      for await (const { sha256 } of other.list()) all.push(sha256);
      expect(all).toEqual(expect.arrayContaining([named.ref.sha256, unnamed.ref.sha256]));
      const gone = await collectGarbage(queue as JobQueue, other, nowMs + 7_200_000);
      expect(gone.blobs).toBe(all.length - 1);
      expect(await blobs.stat(unnamed.ref.sha256)).toBeUndefined();
      expect(await blobs.begun(fresh.ref.sha256)).toBe(0);
      expect((await allOf(blobs.get(named.ref))).equals(named.bytes)).toBe(true);
      expect(await other.remove(named.ref.sha256)).toBe(true);
      expect(await other.remove(named.ref.sha256)).toBe(false);
    });
  });
}
