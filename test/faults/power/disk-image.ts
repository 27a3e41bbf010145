import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SeededRandom } from "@lockstep/sim";
import type { DiskOperation } from "./disk-journal.ts";

/**
 * What becomes of that which was not synchronized when the power goes:
 * all of it is there, as after a kill; none of it; each operation or not; each sector of 512 bytes or not.
 */
export const POWER_LOSSES = ["all", "none", "some", "torn"] as const;
export type PowerLoss = (typeof POWER_LOSSES)[number];

/** What a disk tears is a multiple of this, bytes: the smallest sector there is. */
const SECTOR_BYTES = 512;

type ContentChange = DiskOperation & { readonly kind: "written" | "ended" };

/** The bytes of a file, changed in place. */
class Content {
  #bytes: Buffer;
  #length: number;

  constructor(from?: Content) {
    this.#bytes = Buffer.from(from?.view() ?? []);
    this.#length = this.#bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  change(operation: ContentChange): void {
    if (operation.kind === "written") this.write(operation.offset, operation.bytes);
    else this.#end(operation.length);
  }

  /** Between the old end and the offset there are zeros. */
  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.#length) this.#end(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  /** Overwritten by the next change. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #end(length: number): void {
    if (length > this.#bytes.length) {
      const wider = Buffer.alloc(2 * length);
      this.view().copy(wider);
      this.#bytes = wider;
    }
    this.#bytes.fill(0, Math.min(length, this.#length), Math.max(length, this.#length));
    this.#length = length;
  }
}

/** A file by what it is, whatever it is called. */
class DiskFile {
  /** What outlives a power cut. */
  readonly durable = new Content();
  /** What was done since, in its order. */
  pending: ContentChange[] = [];
}

/** One change of a folder: a name now means this file, or none. */
interface NameChange {
  readonly changes: readonly { readonly path: string; readonly file: DiskFile | undefined }[];
  readonly folder: string;
}

/**
 * A disk that is told of operations one by one, and can say at any moment what a power cut would leave of it.
 *
 * It promises no more than POSIX: bytes and lengths are there once their file was synchronized, names once their folder
 * was; before, any of the bytes may be there or not, in any order, and of the names any that came first.
 */
export class Disk {
  readonly #names = new Map<string, DiskFile>();
  readonly #durableNames = new Map<string, DiskFile>();
  #pendingNames: NameChange[] = [];
  readonly #obeysSyncs: boolean;

  /** @param obeysSyncs  false for a disk that says it had kept what it has not */
  constructor({ obeysSyncs = true }: { readonly obeysSyncs?: boolean } = {}) {
    this.#obeysSyncs = obeysSyncs;
  }

  apply(operation: DiskOperation): void {
    const { kind, path } = operation;
    const file = this.#names.get(path);
    switch (kind) {
      case "made":
        this.#rename([{ path, file: new DiskFile() }]);
        return;
      case "removed":
        this.#rename([{ path, file: undefined }]);
        return;
      case "renamed":
        this.#rename([
          { path, file: undefined },
          { path: operation.to, file },
        ]);
        return;
      case "synced":
        if (this.#obeysSyncs) this.#sync(path, file);
        return;
      default:
        file?.pending.push(operation);
    }
  }

  /** How many operations would be at stake now. */
  get atStake(): number {
    const files = new Set(this.#names.values());
    return [...files].reduce((sum, { pending }) => sum + pending.length, this.#pendingNames.length);
  }

  /** The files, by path from the folder on, that a power cut would leave now. */
  lose(loss: PowerLoss, random: SeededRandom): ReadonlyMap<string, Buffer> {
    const keptNames =
      loss === "all"
        ? this.#pendingNames.length
        : loss === "none"
          ? 0
          : Math.floor((this.#pendingNames.length + 1) * random.uniform());
    const names = new Map(this.#durableNames);
    for (const { changes } of this.#pendingNames.slice(0, keptNames)) rename(names, changes);
    return new Map([...names].map(([path, file]) => [path, survivors(file, loss, random)]));
  }

  #rename(changes: NameChange["changes"]): void {
    rename(this.#names, changes);
    this.#pendingNames.push({ changes, folder: folderOf(changes[0]?.path ?? "") });
  }

  #sync(path: string, file: DiskFile | undefined): void {
    if (file !== undefined) {
      for (const operation of file.pending) file.durable.change(operation);
      file.pending = [];
      return;
    }
    // A folder: what is kept of the names is what came first, so that all before the last one of this folder is kept.
    const last = this.#pendingNames.findLastIndex(({ folder }) => folder === path);
    for (const { changes } of this.#pendingNames.slice(0, last + 1)) rename(this.#durableNames, changes);
    this.#pendingNames = this.#pendingNames.slice(last + 1);
  }
}

/** Write files where a test looks at them. */
export function writeImage(folder: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, bytes] of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
}

function survivors(file: DiskFile, loss: PowerLoss, random: SeededRandom): Buffer {
  const content = new Content(file.durable);
  for (const operation of loss === "none" ? [] : file.pending) {
    if (loss === "torn" && operation.kind === "written") tear(content, operation, random);
    else if (loss === "all" || random.uniform() < 0.5) content.change(operation);
  }
  return content.view();
}

/** Each sector of a write arrives or does not; where the file grew, one that does not holds whatever was there before. */
function tear(content: Content, operation: ContentChange & { readonly kind: "written" }, random: SeededRandom): void {
  const { offset, bytes } = operation;
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
    const part = bytes.subarray(at, at + length);
    const start = Math.max(offset + at, content.length);
    const fate = random.uniform();
    if (fate < 0.5) content.write(offset + at, part);
    else if (fate < 0.75 && offset + at + length > start) {
      content.write(start, stale(offset + at + length - start, random));
    }
    at += length;
  }
}

function stale(length: number, random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(256 * random.uniform()));
}

function rename(names: Map<string, DiskFile>, changes: NameChange["changes"]): void {
  for (const { path, file } of changes) {
    if (file === undefined) names.delete(path);
    else names.set(path, file);
  }
}

function folderOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}
