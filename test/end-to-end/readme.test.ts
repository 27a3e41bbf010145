import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("the example on the first page runs, and prints what stands below it", () => {
  const [, source, printed] =
    /```ts\n(.*?)```\n```\n(.*?)```/s.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  expect(source).toBeDefined();
  // Inside the checkout, so that the packages are found; run in a folder of its own, where it makes its store.
  const folder = join(ROOT, ".lockstep", "readme");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "example.mts");
  const workplace = mkdtempSync(join(tmpdir(), "lockstep-readme-"));
  try {
    writeFileSync(file, source ?? "");
    const output = execFileSync(process.execPath, [file], { cwd: workplace, encoding: "utf8", timeout: 60_000 });
    expect(output).toBe(printed);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(workplace, { recursive: true });
  }
});
