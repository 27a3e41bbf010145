import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestTree } from "./tree-digest.ts";
import { packTree, unpackTree } from "./tree-pack.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tree-pack-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function packed(path: string): Promise<string> {
  const file = join(folder, "packed");
  await pipeline(packTree(path), createWriteStream(file));
  return file;
}

function packOf(list: object, body: string): Buffer {
  const text = Buffer.from(JSON.stringify(list));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, Buffer.from(body)]);
}

test("a folder is the same once it was packed, empty files and folders of folders too", async () => {
  const tree = join(folder, "tree");
  await mkdir(join(tree, "a", "b"), { recursive: true });
  await writeFile(join(tree, "a", "b", "deep.bin"), Buffer.from([0, 255, 10]));
  await writeFile(join(tree, "empty"), "");
  await writeFile(join(tree, "z.txt"), "z");
  await unpackTree(await packed(tree), join(folder, "again"));
  expect(await digestTree(join(folder, "again"))).toEqual(await digestTree(tree));
});

test("a plain file is packed as one, and unpacked to the path that is asked for", async () => {
  await writeFile(join(folder, "one.yaml"), "seed: 42\n");
  await unpackTree(await packed(join(folder, "one.yaml")), join(folder, "deep", "two.yaml"));
  expect(await readFile(join(folder, "deep", "two.yaml"), "utf8")).toBe("seed: 42\n");
});

const one = (path: string) => ({ isFolder: true, files: [{ path, bytes: 1 }] });
test.for([
  ["nothing at all", Buffer.alloc(0)],
  ["a length beyond its end", Buffer.from([255, 255, 255, 127])],
  ["a list that is none", packOf([1], "")],
  ["a file above the folder", packOf(one("../out"), "x")],
  ["a file at an absolute path", packOf(one("/tmp/out"), "x")],
  ["a file that goes up in the middle", packOf(one("a/../../out"), "x")],
  ["fewer bytes than its files have", packOf(one("a"), "")],
  ["more bytes than its files have", packOf(one("a"), "xy")],
  ["a file twice", packOf({ isFolder: true, files: [one("a").files[0], one("a").files[0]] }, "xy")],
  ["a folder that is a file", packOf({ isFolder: true, files: [{ path: "", bytes: 1 }] }, "x")],
  ["a file that is a folder", packOf({ isFolder: false, files: one("a").files }, "x")],
] as const)("%s is refused, and nothing is written outside", async ([, bytes]) => {
  await writeFile(join(folder, "hostile"), bytes);
  const unpacking = unpackTree(join(folder, "hostile"), join(folder, "in", "tree"));
  await expect(unpacking).rejects.toThrow();
  await expect(readFile(join(folder, "out"))).rejects.toThrow(/ENOENT/);
});
