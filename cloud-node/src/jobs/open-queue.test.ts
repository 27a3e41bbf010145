import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { bytesOf, sourceOf } from "./blob-bytes.suite.ts";
import { openQueue } from "./open-queue.ts";
import { codeOf, spec } from "./queue-rig.suite.ts";

test("jobs are in the file that was named, and their blobs in a folder beside it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-open-queue-"));
  try {
    for (const [name, beside] of [
      ["node.db.jobs", "node.db.blobs"],
      ["mine", "mine.job-blobs"],
      ["mine.jobs", "mine.blobs"],
    ] as const) {
      const opened = await openQueue(`sqlite:${join(folder, name)}`, systemClock());
      await opened.queue.submit(spec());
      await opened.blobs.put(sourceOf(bytesOf(1)).source);
      await opened.close();
      expect(existsSync(join(folder, name))).toBe(true);
      expect(existsSync(join(folder, beside))).toBe(true);
      if (process.platform !== "win32") expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
      const again = await openQueue(`sqlite:${join(folder, name)}`, systemClock());
      expect(await again.queue.list({ limit: 10 })).toHaveLength(1);
      await again.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.for(["redis://127.0.0.1", "sqlite:", "", "node.db.jobs", "nats:///", "nats://a b"])(
  "a URL of something else (%s) is refused, with what to give",
  async (url) => {
    expect(await codeOf(openQueue(url, systemClock()))).toBe("bad-queue");
    await expect(openQueue(url, systemClock())).rejects.toThrow(/nats:\/\/HOST:PORT/);
  },
);
