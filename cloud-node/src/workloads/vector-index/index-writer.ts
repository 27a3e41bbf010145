import { constants } from "node:fs";
import { copyFile, type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { InvariantError } from "../../invariant-error.ts";
import { syncFolder } from "../../owner-file.ts";
import { aboutOutput } from "../output-problem.ts";
import { partialPath } from "../partial-path.ts";
import { isReplaceable } from "../replaceable.ts";
import {
  aligned,
  ENTRY_BYTES,
  encodeHeader,
  HEADER_BYTES,
  type IndexHeader,
  MOST_SECTIONS,
  type SectionEntry,
} from "./index-format.ts";
import type { FileState } from "./index-header.ts";
import { checkTable, type SectionTag } from "./section-table.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** What a header says that its sections do not. */
export type HeaderFacts = Omit<IndexHeader, "sections" | "fileBytes">;

/** A file that is an index once all its sections are there, and has its name only then. */
export class IndexWriter {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  readonly #replaces: FileState | undefined;
  readonly #sections: SectionEntry[];
  readonly #open = new Set<SectionWriter>();
  #end: number;

  private constructor(
    path: string,
    partial: string,
    file: FileHandle,
    from: { readonly sections: readonly SectionEntry[]; readonly end: number; readonly replaces?: FileState },
  ) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
    this.#sections = [...from.sections];
    this.#end = from.end;
    this.#replaces = from.replaces;
  }

  /**
   * @param replaces  the index at `path` that it is made from: where that is another one in the end, it stays
   * @throws {VectorIndexError} `no-regular-file`
   */
  static async create(path: string, replaces?: FileState): Promise<IndexWriter> {
    if (!(await isReplaceable(path))) {
      const problem = "there is something else than a regular file";
      throw new VectorIndexError("no-regular-file", problem, "give another name", { file: path });
    }
    const partial = partialPath(path);
    const file = await open(partial, "wx").catch((error: unknown) => {
      throw aboutOutput(error, path);
    });
    return new IndexWriter(path, partial, file, { sections: [], end: HEADER_BYTES, ...(replaces && { replaces }) });
  }

  /**
   * Begin with a copy of an index, some of its sections kept. File systems that can share the bytes do not copy them.
   *
   * @param end  bytes of that file
   */
  static async extend(
    path: string,
    kept: readonly SectionEntry[],
    end: number,
    replaces: FileState,
  ): Promise<IndexWriter> {
    const partial = partialPath(path);
    try {
      await copyFile(path, partial, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      const file = await open(partial, "r+");
      return new IndexWriter(path, partial, file, { sections: kept, end, replaces });
    } catch (error) {
      await rm(partial, { force: true });
      throw aboutOutput(error, path);
    }
  }

  /** Make room for a section of a known length, to be written front to back; several may be open at a time. */
  section(tag: SectionTag, segment: number, bytes: number, marked = 0): SectionWriter {
    if (this.#sections.length >= MOST_SECTIONS) {
      const problem = `it would have more than ${MOST_SECTIONS} sections`;
      throw new VectorIndexError("too-large", problem, "maintain it: that folds its segments", { file: this.#path });
    }
    const offset = aligned(this.#end);
    this.#end = offset + bytes;
    const index = this.#sections.push({ tag, segment, offset, bytes, crc: 0, marked }) - 1;
    const writer: SectionWriter = new SectionWriter(this.#file, offset, bytes, (crc) => {
      this.#sections[index] = { tag, segment, offset, bytes, crc, marked };
      this.#open.delete(writer);
    });
    if (bytes > 0) this.#open.add(writer);
    return writer;
  }

  /** A section whose bytes are there. */
  async put(tag: SectionTag, segment: number, bytes: ArrayBufferView, marked = 0): Promise<void> {
    await this.section(tag, segment, bytes.byteLength, marked).write(bytes);
  }

  /**
   * Write table and header, have all of it on the disk, and give the file its name: it keeps that when the power goes.
   *
   * @returns its bytes
   * @throws {VectorIndexError} `changed` when the index that it is to replace is another one by now
   */
  async finish(facts: HeaderFacts): Promise<number> {
    const tableOffset = aligned(this.#end);
    const fileBytes = tableOffset + this.#sections.length * ENTRY_BYTES;
    const written = { ...facts, fileBytes, sections: this.#sections };
    try {
      const problem = this.#open.size > 0 ? "a section is not whole" : checkTable(written);
      if (typeof problem === "string") throw new InvariantError(`an index cannot be written: ${problem}`);
      const { header, table } = encodeHeader(written, tableOffset);
      await writeAll(this.#file, table, tableOffset);
      await writeAll(this.#file, header, 0);
      await this.#file.sync();
      await this.#file.close();
      await this.#checkReplaced();
      await rename(this.#partial, this.#path);
      await syncFolder(dirname(this.#path));
      return fileBytes;
    } catch (error) {
      await this.discard();
      throw aboutOutput(error, this.#path);
    }
  }

  /** Leave nothing of it. */
  async discard(): Promise<void> {
    // Closed already where naming it failed.
    await this.#file.close().catch(() => {});
    await rm(this.#partial, { force: true });
  }

  async #checkReplaced(): Promise<void> {
    const before = this.#replaces;
    if (before === undefined) return;
    const now = await stat(this.#path, { bigint: true }).catch(() => undefined);
    if (now?.ino === before.ino && now.size === before.size && now.mtimeNs === before.mtimeNs) return;
    const problem = "somebody else changed it meanwhile, and this change was not made";
    throw new VectorIndexError("changed", problem, "make the change again", { file: this.#path });
  }
}

/** One section, front to back. */
export class SectionWriter {
  readonly #file: FileHandle;
  readonly #end: number;
  readonly #done: (crc: number) => void;
  #at: number;
  #crc = 0;

  constructor(file: FileHandle, offset: number, bytes: number, done: (crc: number) => void) {
    this.#file = file;
    this.#at = offset;
    this.#end = offset + bytes;
    this.#done = done;
  }

  async write({ buffer, byteOffset, byteLength }: ArrayBufferView): Promise<void> {
    const chunk = new Uint8Array(buffer, byteOffset, byteLength);
    if (this.#at + chunk.length > this.#end) throw new InvariantError("a section is longer than its room");
    await writeAll(this.#file, chunk, this.#at);
    this.#crc = crc32(chunk, this.#crc);
    this.#at += chunk.length;
    if (this.#at === this.#end) this.#done(this.#crc);
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, place: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.length - at, place + at);
    at += bytesWritten;
  }
}
