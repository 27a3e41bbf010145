import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DistillationError } from "./distillation-error.ts";

/** One file of a tree. */
export interface FileDigest {
  /** Below the tree's top, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** A file or a folder by its content: equal ones have the same digest wherever they lie and whenever they were written. */
export interface TreeDigest {
  /** Of the list of files, by name, size and SHA-256. */
  readonly sha256: string;
  readonly bytes: number;
  /** In the order of their paths; of a plain file one, of the path "". */
  readonly files: readonly FileDigest[];
}

/**
 * The content of a path.
 *
 * @param path  of a plain file or a folder
 * @param onFile  told each file, before it is read
 * @throws {DistillationError} `changed-output` for links, pipes and devices, which have no content of their own; and what the
 * system says
 */
export async function digestTree(path: string): Promise<TreeDigest> {
  const files: FileDigest[] = [];
  for (const below of await filesBelow(path)) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of createReadStream(below === "" ? path : join(path, below))) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
    }
    files.push({ path: below, bytes, sha256: hash.digest("hex") });
  }
  return treeOf(files);
}

/** Several files as one tree. */
export function treeOf(files: readonly FileDigest[]): TreeDigest {
  const list = files.map(({ path, bytes, sha256 }) => [path, bytes, sha256]);
  return {
    sha256: createHash("sha256").update(JSON.stringify(list)).digest("hex"),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
  };
}

/** Make sure that the power may go: all files of a tree are on the disk. */
export async function syncTree(path: string): Promise<void> {
  for (const below of await filesBelow(path)) {
    const file = await open(below === "" ? path : join(path, below), "r");
    await file.sync().finally(() => file.close());
  }
}

/** Every plain file, below a folder or the path itself, sorted by code units. @throws as `digestTree` */
async function filesBelow(path: string): Promise<string[]> {
  const facts = await lstat(path);
  if (facts.isFile()) return [""];
  if (!facts.isDirectory()) throw noContent(path);
  const entries = await readdir(path, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const at = join(path, entry.name);
    if (entry.isFile()) found.push(entry.name);
    else if (!entry.isDirectory()) throw noContent(at);
    else for (const below of await filesBelow(at)) found.push(`${entry.name}/${below}`);
  }
  return found.sort();
}

function noContent(path: string): DistillationError {
  const remedy = "put the file or folder itself there";
  return new DistillationError("changed-output", `${path} is neither a file nor a folder`, remedy);
}
