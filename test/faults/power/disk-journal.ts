import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { STRICT } from "../../conformance/c-host-build.ts";
import { programPath } from "../../os-package.ts";

/** One thing that a process did to a file of a folder; `path` is from the folder on, empty for the folder itself. */
export type DiskOperation =
  | { readonly kind: "made" | "synced" | "removed"; readonly path: string }
  | { readonly kind: "written"; readonly path: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "ended"; readonly path: string; readonly length: number }
  | { readonly kind: "renamed"; readonly path: string; readonly to: string };

/** A journal says something that a replay has no notion of. */
export class DiskJournalError extends Error {
  override readonly name = "DiskJournalError";
  readonly code: "truncated" | "not-replayable";

  constructor(code: "truncated" | "not-replayable", facts: { readonly offset: number; readonly detail: string }) {
    super(`disk journal: ${code} at byte ${facts.offset}: ${facts.detail}`);
    this.code = code;
  }
}

/** Operation, lengths of path and data, offset: as disk-journal.c writes it. */
const HEAD_BYTES = 17;

/** Compile the library that writes the journal. @returns what to set in the environment of a process beside its folder */
export function buildDiskJournal(folder: string): string {
  const library = join(folder, "disk-journal.so");
  const source = fileURLToPath(new URL("disk-journal.c", import.meta.url));
  execFileSync(programPath("c-compiler"), [...STRICT, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
  return library;
}

/** The environment in which a process writes down what it does to the files of a folder. */
export function journaledEnvironment(library: string, folder: string, journal: string): NodeJS.ProcessEnv {
  return { ...process.env, LD_PRELOAD: library, DISK_FOLDER: folder, DISK_JOURNAL: journal };
}

/**
 * Everything that was done, in its order.
 *
 * @throws {DiskJournalError} `not-replayable` for what a replay could not do again, `truncated` for half a record
 */
export function readDiskJournal(file: string): DiskOperation[] {
  const journal = readFileSync(file);
  const operations: DiskOperation[] = [];
  for (let at = 0; at < journal.length; ) {
    const start = at;
    const take = (length: number) => {
      at += length;
      if (at > journal.length) throw new DiskJournalError("truncated", { offset: start, detail: `${length} bytes` });
      return journal.subarray(at - length, at);
    };
    const head = take(HEAD_BYTES);
    const path = take(head.readUInt32LE(1)).toString();
    const bytes = take(head.readUInt32LE(5));
    const offset = Number(head.readBigUInt64LE(9));
    operations.push(operationOf(String.fromCharCode(head[0] ?? 0), path, offset, bytes, start));
  }
  return operations;
}

function operationOf(letter: string, path: string, offset: number, bytes: Buffer, at: number): DiskOperation {
  switch (letter) {
    case "C":
      return { kind: "made", path };
    case "W":
      return { kind: "written", path, offset, bytes };
    case "T":
      return { kind: "ended", path, length: offset };
    case "S":
      return { kind: "synced", path };
    case "U":
      return { kind: "removed", path };
    case "R":
      return { kind: "renamed", path, to: bytes.toString() };
    default:
      throw new DiskJournalError("not-replayable", { offset: at, detail: `${letter} ${path} ${bytes}` });
  }
}
