import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ReproduceError } from "./reproduce-error.ts";

/** What figures depend on: code and what it reads, not what is written about it. */
const FOLDERS = [
  "cloud-node",
  "edge-sdk",
  "firmware-examples",
  "protocol",
  "sim",
  "scripts",
  "test/bench",
  "test/faults",
];
const FILES = ["package-lock.json"];
const WORDS = /\.(?:md|test\.ts)$/;

/**
 * A digest of everything that figures depend on, as it lies on the disk, committed or not.
 *
 * @param root  of the checkout
 * @throws {ReproduceError} `no-checkout` where git does not know it
 */
export function sourceDigest(root: string): string {
  const { status, stdout, stderr } = spawnSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", ...FOLDERS, ...FILES],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  if (status !== 0)
    throw new ReproduceError("no-checkout", { git: stderr?.trim() || "is not there", needs: "a git clone" });
  const hash = createHash("sha256").update(process.version);
  for (const path of [...new Set(stdout.split("\0"))].toSorted()) {
    if (path === "" || WORDS.test(path) || !existsSync(join(root, path))) continue;
    hash
      .update(path)
      .update("\0")
      .update(
        createHash("sha256")
          .update(readFileSync(join(root, path)))
          .digest(),
      );
  }
  return hash.digest("hex").slice(0, 16);
}
