import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { allOf, bytesOf, refOf, sourceOf } from "./blob-bytes.suite.ts";
import { blobStoreSuite } from "./blob-store.suite.ts";
import { FileBlobs } from "./file-blobs.ts";
import { codeOf } from "./queue-rig.suite.ts";

blobStoreSuite("blobs in files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  const place = join(folder, "node.db.blobs");
  return {
    open: async () => new FileBlobs(place),
    damage: async (sha256, how) => {
      const path = join(place, sha256.slice(0, 2), sha256);
      const bytes = readFileSync(path);
      if (how === "cut") truncateSync(path, bytes.length - 1);
      bytes[5] = (bytes[5] ?? 0) ^ 1;
      if (how === "change") writeFileSync(path, bytes);
    },
    close: async () => rmSync(folder, { recursive: true }),
  };
});

test("a writer that is killed leaves nothing that looks whole, and the next one goes on where it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    const bytes = bytesOf(1);
    const ref = refOf(bytes);
    const script = fileURLToPath(new URL("./blob-writer.suite.ts", import.meta.url));
    const child = spawn(process.execPath, [script, folder, "1", "400000"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const blobs = new FileBlobs(folder);
    expect(await blobs.stat(ref.sha256)).toBeUndefined();
    const left = await blobs.begun(ref.sha256);
    expect(left).toBeGreaterThanOrEqual(400_000);
    const { source, begun } = sourceOf(bytes);
    await blobs.put(source, { expect: ref });
    expect(begun).toEqual([left]);
    expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
    expect(readdirSync(join(folder, ref.sha256.slice(0, 2)))).toEqual([ref.sha256]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a blob of which the disk has a part before the rest is there comes back as it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    // More than waits for the disk at once.
    const [chunk, count] = [bytesOf(1, 1 << 20), 70];
    const blobs = new FileBlobs(folder);
    const ref = await blobs.put(async function* () {
      for (let i = 0; i < count; i++) {
        chunk.writeUInt32LE(i);
        yield chunk;
      }
    });
    expect(ref.bytes).toBe(count * chunk.length);
    let at = 0;
    for await (const piece of blobs.get(ref)) at += piece.length;
    expect(at).toBe(ref.bytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("uploads that break again and again leave one behind, and those that others may be writing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    const bytes = bytesOf(1);
    const ref = refOf(bytes);
    const blobs = new FileBlobs(folder);
    const parts = () => readdirSync(join(folder, ref.sha256.slice(0, 2)));
    for (const breaksAt of [200_000, 400_000, 600_000]) {
      await expect(blobs.put(sourceOf(bytes, breaksAt).source, { expect: ref })).rejects.toThrow("the line broke");
      if (breaksAt < 600_000) for (const name of parts()) utimesSync(join(folder, ref.sha256.slice(0, 2), name), 1, 1);
      expect(parts()).toHaveLength(1);
    }
    await expect(blobs.put(sourceOf(bytes, 650_000).source, { expect: ref })).rejects.toThrow("the line broke");
    expect(parts()).toHaveLength(2);
    const { source, begun } = sourceOf(bytes);
    await blobs.put(source, { expect: ref });
    expect(begun[0]).toBeGreaterThanOrEqual(650_000);
    expect(parts()).toEqual([ref.sha256]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("who reads a damaged blob to its end does not forget the one that was put in its place meanwhile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    const bytes = bytesOf(1);
    const blobs = new FileBlobs(folder);
    const ref = await blobs.put(sourceOf(bytes).source);
    const path = join(folder, ref.sha256.slice(0, 2), ref.sha256);
    const wrong = readFileSync(path);
    wrong[5] = (wrong[5] ?? 0) ^ 1;
    writeFileSync(path, wrong);
    const slow = blobs.get(ref)[Symbol.asyncIterator]();
    expect((await slow.next()).done).toBe(false);
    expect(await blobs.remove(ref.sha256)).toBe(true);
    await blobs.put(sourceOf(bytes).source, { expect: ref });
    expect(await codeOf(allOf({ [Symbol.asyncIterator]: () => slow }))).toBe("tampered-blob");
    expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
    expect(readdirSync(join(folder, ref.sha256.slice(0, 2)))).toEqual([ref.sha256]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a blob that another looks at aside, as soon as it is placed, is not taken for a broken upload", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    const bytes = bytesOf(1);
    const ref = refOf(bytes);
    const path = join(folder, ref.sha256.slice(0, 2), ref.sha256);
    const aside = `${path}.00000000.part`;
    const blobs = new FileBlobs(folder);
    const put = blobs.put(sourceOf(bytes).source, { expect: ref });
    while (!existsSync(path)) await new Promise<void>((resolve) => setImmediate(resolve));
    renameSync(path, aside);
    await put;
    renameSync(aside, path);
    expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an upload that fails before its first byte leaves nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    const bytes = bytesOf(1);
    const ref = refOf(bytes);
    // Another's part, which the disk does not give.
    const loop = `${ref.sha256}.00000000.part`;
    mkdirSync(join(folder, ref.sha256.slice(0, 2)));
    symlinkSync(loop, join(folder, ref.sha256.slice(0, 2), loop));
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    expect(await codeOf(new FileBlobs(folder).put(sourceOf(bytes).source, { expect: ref }))).toBe("queue-away");
    expect(readdirSync(join(folder, ref.sha256.slice(0, 2)))).toEqual([loop]);
    expect(open()).toBe(before);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder that is none is said to be away, and files of others in it are left alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-blobs-"));
  try {
    writeFileSync(join(folder, "file"), "");
    const none = new FileBlobs(join(folder, "file"));
    expect(await codeOf(none.put(sourceOf(bytesOf(1)).source))).toBe("queue-away");
    expect(await codeOf(allOf(none.get(refOf(bytesOf(1)))))).toBe("queue-away");
    const blobs = new FileBlobs(folder);
    const ref = await blobs.put(sourceOf(bytesOf(1)).source);
    appendFileSync(join(folder, ref.sha256.slice(0, 2), "notes.txt"), "mine");
    const all: string[] = [];
    for await (const { sha256 } of blobs.list()) all.push(sha256);
    expect(all).toEqual([ref.sha256]);
    await blobs.forgetBegun(Date.now() + 1_000);
    expect(readFileSync(join(folder, ref.sha256.slice(0, 2), "notes.txt"), "utf8")).toBe("mine");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
