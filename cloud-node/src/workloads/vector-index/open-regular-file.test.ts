import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IndexFile } from "./index-file.ts";
import { openRegularFile } from "./open-regular-file.ts";
import { openVectors } from "./open-vectors.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-regular-file-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(process.platform === "win32")(
  "a pipe that nobody writes into, a device and a folder are refused at once",
  async () => {
    const pipe = join(folder, "pipe.fvecs");
    execFileSync("mkfifo", [pipe]);
    for (const path of [pipe, devNull, folder]) {
      const refused = { code: "unreadable", place: { file: path } };
      await expect(openRegularFile(path, "name another")).rejects.toMatchObject(refused);
      await expect(IndexFile.open(path)).rejects.toMatchObject(refused);
      await expect(openVectors(path)).rejects.toMatchObject(refused);
    }
  },
);

test("a file is read as it is, and one that is not there is named", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "all of it");
  const file = await openRegularFile(path, "name another");
  expect(await file.readFile("utf8")).toBe("all of it");
  await file.close();
  const none = join(folder, "b");
  await expect(openRegularFile(none, "name another")).rejects.toMatchObject({ code: "no-file", place: { file: none } });
});
