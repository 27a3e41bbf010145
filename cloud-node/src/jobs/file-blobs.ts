import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../owner-file.ts";
import { BlobFile, chunksOf } from "./blob-file.ts";
import type { BlobFacts, BlobRef, BlobStore, GetOptions, PutOptions } from "./blob-store.ts";
import { onDisk, unlessAbsent } from "./disk-call.ts";
import { JobError } from "./job-error.ts";
import { checkRef, isSha256 } from "./job-id.ts";
import { checkSignal, tampered, verified } from "./verified-bytes.ts";

const PART = ".part";
/** Folder of uploads whose bytes nobody foretold. */
const NEW = "new";
/** An upload into which nothing was written for so long may be one that broke, ms. */
const QUIET_MS = 10_000;

/** An upload, under way or broken. */
interface Part {
  readonly path: string;
  readonly bytes: number;
  /** Unix time, ms. */
  readonly writtenMs: number;
}

/**
 * Blobs as files of one folder, for any number of processes:
 *
 *     ab/abcdef…                a blob, whole: it comes there by a rename
 *     ab/abcdef….1f2e3d4c.part  an upload of it, under way or broken; two at once have one each
 *     new/1f2e3d4c.part         an upload of what only its last byte names
 */
export class FileBlobs implements BlobStore {
  readonly folder: string;

  /** @param folder  made with the first blob */
  constructor(folder: string) {
    this.folder = folder;
  }

  async put(source: (fromByte: number) => AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<BlobRef> {
    const { expect } = options;
    if (expect !== undefined) {
      checkRef(expect, "a blob");
      if (await this.renew(expect)) return { sha256: expect.sha256, bytes: expect.bytes };
    }
    const folder = join(this.folder, expect?.sha256.slice(0, 2) ?? NEW);
    const name = expect === undefined ? "" : `${expect.sha256}.`;
    const part = join(folder, `${name}${randomBytes(4).toString("hex")}${PART}`);
    const handle = await this.#disk(async () => {
      await this.#makeFolder(folder);
      return open(part, "wx");
    });
    const file = new BlobFile(handle);
    let begun: string | undefined;
    try {
      let ref: BlobRef;
      try {
        if (expect !== undefined) begun = await this.#longestPart(expect, part);
        ref = await this.#fill(file, begun, source, options);
      } finally {
        await handle.close();
      }
      await this.#disk(() => this.#place(part, ref));
      return ref;
    } catch (error) {
      const code = error instanceof JobError ? error.code : undefined;
      // Nobody can go on with wrong bytes, with none, or with those that have no name; and a full disk is in everybody's way.
      const isOfNoUse = code === "tampered-blob" || file.bytes === 0 || expect === undefined;
      if (isOfNoUse || code === "disk-full") await rm(part, { force: true });
      if (code === "tampered-blob" && begun !== undefined) await rm(begun, { force: true });
      if (expect !== undefined) await this.#forgetShorter(expect.sha256, part).catch(() => {});
      throw error;
    }
  }

  async *get(ref: BlobRef, options: GetOptions = {}): AsyncGenerator<Uint8Array> {
    checkRef(ref, "a blob");
    const path = this.#path(ref.sha256);
    const handle = await this.#disk(() => open(path, "r").catch(unlessAbsent));
    if (handle === undefined) throw new JobError("missing-blob", `blob ${ref.sha256}`, "put it there again");
    try {
      yield* verified(this.#chunks(handle), ref, options);
    } catch (error) {
      if (error instanceof JobError && error.code === "tampered-blob") await this.#removeDamaged(handle, ref.sha256);
      throw error;
    } finally {
      await handle.close();
    }
  }

  async renew(ref: BlobRef): Promise<boolean> {
    checkRef(ref, "a blob");
    const facts = await this.stat(ref.sha256);
    if (facts?.bytes !== ref.bytes) return false;
    const now = new Date();
    const isRenewed = await this.#disk(() => utimes(this.#path(ref.sha256), now, now).then(() => true, unlessAbsent));
    return isRenewed ?? false;
  }

  async stat(sha256: string): Promise<BlobFacts | undefined> {
    if (!isSha256(sha256)) return undefined;
    const facts = await this.#disk(() => stat(this.#path(sha256)).catch(unlessAbsent));
    return facts && { sha256, bytes: facts.size, putMs: Math.floor(facts.mtimeMs) };
  }

  async begun(sha256: string): Promise<number> {
    const sizes = (await this.#parts(sha256)).map(({ bytes }) => bytes);
    return Math.max(0, ...sizes);
  }

  async *list(): AsyncGenerator<BlobFacts> {
    for (const folder of await this.#names("")) {
      for (const name of await this.#names(folder)) {
        const facts = await this.stat(name);
        if (facts !== undefined) yield facts;
      }
    }
  }

  async remove(sha256: string, putBeforeMs?: number): Promise<boolean> {
    if (!isSha256(sha256)) return false;
    if (putBeforeMs !== undefined) return this.#removeIf(sha256, ({ mtimeMs }) => mtimeMs < putBeforeMs);
    return this.#disk(async () => {
      const isGone = await unlink(this.#path(sha256)).then(() => true, unlessAbsent);
      return isGone ?? false;
    });
  }

  async forgetBegun(beforeMs: number): Promise<void> {
    for (const folder of await this.#names("")) {
      for (const name of await this.#names(folder)) {
        const path = join(this.folder, folder, name);
        const facts = name.endsWith(PART) ? await stat(path).catch(unlessAbsent) : undefined;
        if (facts !== undefined && facts.mtimeMs < beforeMs) await rm(path, { force: true });
      }
    }
  }

  async close(): Promise<void> {}

  /** What an earlier upload left, then what the source gives; all of it on the disk. */
  async #fill(
    file: BlobFile,
    begun: string | undefined,
    source: (fromByte: number) => AsyncIterable<Uint8Array>,
    { expect, onProgress, signal }: PutOptions,
  ): Promise<BlobRef> {
    const keep = async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        checkSignal(signal, expect?.sha256);
        if (expect !== undefined && file.bytes + chunk.length > expect.bytes) {
          throw tampered(expect, `more than ${expect.bytes} bytes`);
        }
        await this.#disk(() => file.write(chunk));
        onProgress?.(file.bytes);
      }
    };
    // Copied, not taken over: whoever wrote it may still do so, and it has to be read for its hash anyway.
    if (begun !== undefined) await this.#read(begun, keep);
    await keep(source(file.bytes));
    const ref = { sha256: file.digest(), bytes: file.bytes };
    if (expect !== undefined && ref.bytes < expect.bytes)
      throw tampered(expect, `${ref.bytes} of ${expect.bytes} bytes`);
    if (expect !== undefined && ref.sha256 !== expect.sha256) throw tampered(expect, "other bytes");
    await this.#disk(() => file.sync());
    return ref;
  }

  /** What most is left of, except for one's own. */
  async #longestPart({ sha256, bytes }: BlobRef, own: string): Promise<string | undefined> {
    const parts = await this.#disk(() => this.#parts(sha256));
    const usable = parts.filter((part) => part.path !== own && part.bytes > 0 && part.bytes <= bytes);
    return usable.sort((a, b) => b.bytes - a.bytes)[0]?.path;
  }

  async #read(path: string, keep: (chunks: AsyncIterable<Uint8Array>) => Promise<void>): Promise<void> {
    const handle = await this.#disk(() => open(path, "r").catch(unlessAbsent));
    if (handle === undefined) return;
    try {
      await keep(this.#chunks(handle));
    } finally {
      await handle.close();
    }
  }

  async #place(part: string, { sha256 }: BlobRef): Promise<void> {
    const path = this.#path(sha256);
    await this.#makeFolder(dirname(path));
    // Listed before: what somebody takes aside afterwards, to look at it, is the blob itself.
    const parts = await this.#parts(sha256);
    const isPlaced = await rename(part, path).then(() => true, unlessAbsent);
    // Gone: another upload of the same bytes was placed first, and cleared away what it no longer needed.
    if (isPlaced === undefined) await stat(path);
    await syncFolder(dirname(path));
    for (const other of parts) await rm(other.path, { force: true });
  }

  /**
   * Remove a blob if it is one to be removed. It is looked at where nobody renews or replaces it any more: a look at it
   * in its place would be out of date before the removal.
   *
   * @returns whether it was removed
   */
  #removeIf(sha256: string, isToGo: (facts: Stats) => boolean): Promise<boolean> {
    return this.#disk(async () => {
      const path = this.#path(sha256);
      // As an upload of it that broke at its very end: whoever ends here leaves nothing that is lost.
      const aside = `${path}.${randomBytes(4).toString("hex")}${PART}`;
      const isAside = await rename(path, aside).then(() => true, unlessAbsent);
      if (isAside === undefined) return false;
      const facts = await stat(aside).catch(unlessAbsent);
      const isGone = facts !== undefined && isToGo(facts);
      if (isGone) await unlink(aside).catch(unlessAbsent);
      // Not there any more: another one was placed, and cleared away what it no longer needed.
      else await rename(aside, path).catch(unlessAbsent);
      return isGone;
    });
  }

  /** What is no longer what its name says is in the way of whoever puts it there again. */
  async #removeDamaged(handle: FileHandle, sha256: string): Promise<void> {
    const hash = createHash("sha256");
    for await (const chunk of this.#chunks(handle)) hash.update(chunk);
    if (hash.digest("hex") === sha256) return;
    const { ino, dev } = await this.#disk(() => handle.stat());
    // What was put in its place since is right.
    await this.#removeIf(sha256, (facts) => facts.ino === ino && facts.dev === dev);
  }

  /** Forget broken uploads that nobody goes on with any more: a later one has their bytes, and more. */
  async #forgetShorter(sha256: string, own: string): Promise<void> {
    const facts = await stat(own).catch(unlessAbsent);
    if (facts === undefined) return;
    for (const { path, bytes, writtenMs } of await this.#parts(sha256)) {
      const isQuiet = writtenMs < Date.now() - QUIET_MS;
      if (path !== own && bytes <= facts.size && isQuiet) await rm(path, { force: true });
    }
  }

  async #parts(sha256: string): Promise<Part[]> {
    if (!isSha256(sha256)) return [];
    const folder = sha256.slice(0, 2);
    const names = (await this.#names(folder)).filter((name) => name.startsWith(`${sha256}.`) && name.endsWith(PART));
    const paths = names.map((name) => join(this.folder, folder, name));
    const facts = await Promise.all(paths.map((path) => stat(path).catch(unlessAbsent)));
    return paths.map((path, i) => ({ path, bytes: facts[i]?.size ?? 0, writtenMs: facts[i]?.mtimeMs ?? 0 }));
  }

  /** Make a folder that is there even after the power went. */
  async #makeFolder(folder: string): Promise<void> {
    if ((await mkdir(folder, { recursive: true })) === undefined) return;
    await syncFolder(this.folder);
    await syncFolder(dirname(this.folder));
  }

  async #names(folder: string): Promise<string[]> {
    return this.#disk(async () => {
      const entries = await readdir(join(this.folder, folder)).catch((cause) => {
        // A file of somebody else's.
        if (cause.code !== "ENOTDIR") unlessAbsent(cause);
      });
      return entries ?? [];
    });
  }

  async *#chunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
    const chunks = chunksOf(handle);
    try {
      for (;;) {
        const { value, done } = await this.#disk(() => chunks.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await chunks.return(undefined);
    }
  }

  #path(sha256: string): string {
    return join(this.folder, sha256.slice(0, 2), sha256);
  }

  #disk<Result>(act: () => Promise<Result>): Promise<Result> {
    return onDisk(this.folder, act);
  }
}
