import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkFiles, PartialFile, replaceWhole } from "./partial-file.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-partial-file-"));
  path = join(folder, "out");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test.skipIf(process.platform === "win32")("a device is refused as an output, and stays what it is", async () => {
  symlinkSync(devNull, path);
  const input = join(folder, "in");
  writeFileSync(input, "x");
  const refused = { code: "usage", message: expect.stringContaining("no regular file") };
  await expect(checkFiles(input, path)).rejects.toMatchObject(refused);
  await expect(PartialFile.open(path)).rejects.toMatchObject(refused);
  await expect(replaceWhole(path, "y")).rejects.toMatchObject(refused);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder).toSorted()).toEqual(["in", "out"]);
});

test.for(["handle", "stream"] as const)(
  "what was written through its %s is on the disk before it has its name, and the name after it",
  async (way) => {
    const file = await PartialFile.open(path);
    const handles: FileHandle = Object.getPrototypeOf(file.handle);
    const { sync } = handles;
    const synced: string[] = [];
    vi.spyOn(handles, "sync").mockImplementation(async function (this: FileHandle) {
      synced.push((await this.stat()).isDirectory() ? "folder" : "file", ...readdirSync(folder).slice(0, 1));
      await sync.call(this);
    });
    if (way === "handle") await file.handle.writeFile("all");
    else file.stream.write("all");
    await file.keep();
    expect(synced).toEqual(["file", expect.stringMatching(/\.part$/), "folder", "out"]);
    expect(readFileSync(path, "utf8")).toBe("all");
  },
);

test("what replaces a file is whole, and nothing else is left", async () => {
  writeFileSync(path, "before");
  await replaceWhole(path, "after");
  expect(readFileSync(path, "utf8")).toBe("after");
  expect(readdirSync(folder)).toEqual(["out"]);
});
