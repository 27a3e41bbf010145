import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { makePrivateFolder } from "./private-folder.ts";

afterEach(() => vi.unstubAllEnvs());

test("a temporary folder that is missing is told with its path, and what sets it", async () => {
  const missing = join(tmpdir(), "there-is-no-such-folder");
  vi.stubEnv("TMPDIR", missing);
  await expect(makePrivateFolder(tmpdir(), "any-")).rejects.toMatchObject({
    code: "file-failed",
    facts: { path: missing, problem: "ENOENT", set: "TMPDIR" },
  });
});
