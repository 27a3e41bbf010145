import type { FileHandle } from "node:fs/promises";
import {
  decodeHeader,
  ENTRY_BYTES,
  HEADER_BYTES,
  INDEX_MAGIC,
  INDEX_VERSION,
  type IndexHeader,
  MOST_SECTIONS,
  tablePlace,
} from "./index-format.ts";
import { checkTable, type SegmentSections } from "./section-table.ts";
import { VectorIndexError, type VectorIndexErrorCode } from "./vector-index-error.ts";

/** Which file has a path: one that replaced it has another number, length or time. */
export interface FileState {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** Header and table of an open file, and its sections by segment. */
export interface OpenedHeader {
  readonly header: IndexHeader;
  /** Of the model, then of each segment. */
  readonly sections: readonly SegmentSections[];
  readonly state: FileState;
}

const WHOLE_COPY = "take a copy that is whole, or build it again";

/**
 * Read header and table. Memory and time are at most those of the largest table, whatever the header says.
 *
 * @param name  what errors call it
 * @throws {VectorIndexError} `not-an-index`, `unknown-version`, `truncated`, `bad-index`, `unreadable`
 */
export async function readIndexHeader(file: FileHandle, name: string): Promise<OpenedHeader> {
  const refuse = (code: VectorIndexErrorCode, problem: string, remedy = WHOLE_COPY): never => {
    throw new VectorIndexError(code, problem, remedy, { file: name });
  };
  const { ino, size, mtimeNs } = await file.stat({ bigint: true });
  const bytes = Buffer.alloc(HEADER_BYTES);
  const length = await read(file, bytes, 0, name);
  if (length < 4 || bytes.readUInt32LE(0) !== INDEX_MAGIC) {
    refuse("not-an-index", "this is no vector index: it does not begin with VLC1", "give a file that was built as one");
  }
  if (length < HEADER_BYTES) refuse("truncated", `its header has ${length} bytes, and not ${HEADER_BYTES}`);
  const version = bytes.readUInt16LE(4);
  if (version !== INDEX_VERSION) {
    const problem = `its version is ${version}, and this program reads version ${INDEX_VERSION}`;
    refuse("unknown-version", problem, "use the release that wrote it");
  }
  const { offset, sections, fileBytes } = tablePlace(bytes);
  if (fileBytes > size) refuse("truncated", `it has ${size} bytes, and its header says ${fileBytes}`);
  if (fileBytes < size) refuse("bad-index", `it has ${size} bytes, and its header says ${fileBytes}`);
  const isTable = sections >= 1 && sections <= MOST_SECTIONS && offset >= BigInt(HEADER_BYTES);
  if (!isTable || offset + BigInt(sections * ENTRY_BYTES) !== fileBytes) {
    refuse("bad-index", `a table of ${sections} sections at byte ${offset} does not end with the file`);
  }
  const table = Buffer.alloc(sections * ENTRY_BYTES);
  if ((await read(file, table, Number(offset), name)) < table.length) refuse("truncated", "its table is not whole");
  const header = decodeHeader(bytes, table);
  if (typeof header === "string") return refuse("bad-index", header);
  const bySegment = checkTable(header);
  if (typeof bySegment === "string") return refuse("bad-index", bySegment);
  return { header, sections: bySegment, state: { ino, size, mtimeNs } };
}

async function read(file: FileHandle, out: Buffer, position: number, name: string): Promise<number> {
  try {
    return (await file.read(out, 0, out.length, position)).bytesRead;
  } catch (cause) {
    const problem = `it cannot be read (${(cause as Error).message})`;
    throw new VectorIndexError("unreadable", problem, "name the file of an index", { file: name }, { cause });
  }
}
