import { createReadStream, createWriteStream } from "node:fs";
import { lstat, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as v from "valibot";
import { DistillationError } from "./distillation-error.ts";
import { pathBelow } from "./run-place.ts";
import { digestTree } from "./tree-digest.ts";

/** Bytes in front of the list of files: its length, u32, little-endian. */
const LENGTH_BYTES = 4;
/** A list of more bytes is none of a step's. */
const MOST_LIST_BYTES = 1 << 20;
const safePath = pathBelow("the folder");
const listSchema = v.strictObject({
  isFolder: v.boolean(),
  files: v.array(
    v.strictObject({
      path: v.union([v.literal(""), safePath]),
      bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    }),
  ),
});

/** A file or a folder as one stream: the list of its files, then their bytes. Equal trees give equal bytes. */
export async function* packTree(path: string): AsyncGenerator<Uint8Array> {
  const isFolder = (await lstat(path)).isDirectory();
  const files = (await digestTree(path)).files.map(({ path: below, bytes }) => ({ path: below, bytes }));
  for (const file of files) {
    if (file.path === "" || v.is(safePath, file.path)) continue;
    const remedy = "give it a name of letters, digits, dots, hyphens and underscores";
    throw new DistillationError("bad-evidence", `${join(path, file.path)} cannot be sent`, remedy);
  }
  const list = Buffer.from(JSON.stringify({ isFolder, files }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(list.length);
  yield length;
  yield list;
  for (const { path: below } of files) yield* createReadStream(below === "" ? path : join(path, below));
}

/**
 * Mirror of `packTree`.
 *
 * @param packed  a file of what was packed
 * @param path  where nothing is yet, or an empty folder
 * @throws {DistillationError} `bad-evidence` for what is no packed tree, or not all of one
 */
export async function unpackTree(packed: string, path: string): Promise<void> {
  const file = await open(packed);
  try {
    const { size } = await file.stat();
    const length = Buffer.alloc(LENGTH_BYTES);
    await file.read(length, 0, LENGTH_BYTES, 0);
    const listBytes = length.readUInt32LE();
    if (size < LENGTH_BYTES || listBytes > Math.min(MOST_LIST_BYTES, size - LENGTH_BYTES))
      throw bad(packed, "its list");
    const list = Buffer.alloc(listBytes);
    await file.read(list, 0, listBytes, LENGTH_BYTES);
    const { isFolder, files } = listOf(list, packed);
    let at = LENGTH_BYTES + listBytes;
    if (at + files.reduce((sum, { bytes }) => sum + bytes, 0) !== size) throw bad(packed, "its length");
    if (isFolder) await mkdir(path, { recursive: true });
    for (const { path: below, bytes } of files) {
      const to = isFolder ? join(path, below) : path;
      await mkdir(dirname(to), { recursive: true });
      const source = bytes === 0 ? [] : file.createReadStream({ start: at, end: at + bytes - 1, autoClose: false });
      await pipeline(source, createWriteStream(to, { flags: "wx" }));
      at += bytes;
    }
  } finally {
    await file.close();
  }
}

function listOf(text: Buffer, packed: string): v.InferOutput<typeof listSchema> {
  try {
    const list = v.parse(listSchema, JSON.parse(text.toString("utf8")));
    const isFile = list.files.length === 1 && list.files[0]?.path === "";
    if (list.isFolder !== isFile && (list.isFolder ? list.files.every(({ path }) => path !== "") : isFile)) return list;
  } catch (cause) {
    throw bad(packed, "its list", cause);
  }
  throw bad(packed, "its list");
}

function bad(packed: string, part: string, cause?: unknown): DistillationError {
  return new DistillationError("bad-evidence", `${packed} is no packed folder: ${part} is wrong`, "send it again", {
    cause,
  });
}
