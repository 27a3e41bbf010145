import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { SectionPlace } from "./index-facts.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** A read of the system's at most; of what a caller does not want so much is held at a time. */
const BLOCK_BYTES = 1 << 24;

/** Reads sections of an open index, whose places lie in the file. Bytes are given out only once their checksum is right. */
export class SectionReader {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #verified = new Set<number>();

  constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** @throws {VectorIndexError} `bad-checksum`; `too-large` for the memory; `truncated` where the file became shorter */
  async all(section: SectionPlace): Promise<Uint8Array<ArrayBuffer>> {
    return await this.range(section, 0, section.bytes);
  }

  /**
   * Bytes [from, to) of a section. The first time all of the section is read, for its checksum.
   *
   * @throws {VectorIndexError} as `all`
   */
  async range(section: SectionPlace, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    const out = this.#allocate(section, to - from);
    if (this.#verified.has(section.offset)) {
      await this.#fill(section, from, out);
      return out;
    }
    let crc = 0;
    const skipped = new Uint8Array(Math.min(BLOCK_BYTES, from + section.bytes - to));
    for (let at = 0; at < section.bytes; ) {
      // A block does not cross the borders of what is wanted: it is read into its place.
      const end = at < from ? from : at < to ? to : section.bytes;
      const bytes = Math.min(end - at, BLOCK_BYTES);
      const block = at >= from && at < to ? out.subarray(at - from, at - from + bytes) : skipped.subarray(0, bytes);
      await this.#fill(section, at, block);
      crc = crc32(block, crc);
      at += bytes;
    }
    if (crc !== section.crc) throw this.#wrong(section, "its checksum is wrong");
    this.#verified.add(section.offset);
    return out;
  }

  /** Bytes of a section whose rows have checksums of their own, without waiting. @param out  filled */
  fillSync(section: SectionPlace, from: number, out: Uint8Array): void {
    for (let at = 0; at < out.length; ) {
      const bytes = readSync(this.#file.fd, out, at, out.length - at, section.offset + from + at);
      if (bytes === 0) throw this.#short(section);
      at += bytes;
    }
  }

  async #fill(section: SectionPlace, from: number, out: Uint8Array): Promise<void> {
    for (let at = 0; at < out.length; ) {
      const length = Math.min(out.length - at, BLOCK_BYTES);
      const { bytesRead } = await this.#file.read(out, at, length, section.offset + from + at);
      if (bytesRead === 0) throw this.#short(section);
      at += bytesRead;
    }
  }

  #allocate(section: SectionPlace, bytes: number): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(bytes);
    } catch (cause) {
      const place = { file: this.#name, section: section.tag };
      throw new VectorIndexError(
        "too-large",
        `${bytes} bytes do not fit in memory`,
        "search it in shards on several machines",
        place,
        { cause },
      );
    }
  }

  #short(section: SectionPlace): VectorIndexError {
    return this.#wrong(section, "the file became shorter while it was read", "truncated");
  }

  #wrong(
    section: SectionPlace,
    problem: string,
    code: "bad-checksum" | "truncated" = "bad-checksum",
  ): VectorIndexError {
    const place = { file: this.#name, section: section.tag.trim(), byte: section.offset };
    return new VectorIndexError(code, problem, "take a copy that is whole, or build it again", place);
  }
}
