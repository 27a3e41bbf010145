import type { FileHandle } from "node:fs/promises";
import { haveSameAtoms, type OrderedFrame, orderFrame } from "./atom-order.ts";
import { type EncodedChunk, encodeChunk } from "./chunk-encode.ts";
import { encodeHead } from "./chunk-head.ts";
import { arraysOf, type ChunkOrder } from "./chunk-order.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { ColumnArena, type ColumnRoom } from "./column-arena.ts";
import { type ColumnGroup, groupColumns } from "./column-groups.ts";
import {
  CHUNK_PREAMBLE_BYTES,
  CHUNK_TAG,
  type ChunkPlace,
  CONTAINER_MAGIC,
  CONTAINER_VERSION,
  CRC_BYTES,
  END_TAG,
  INDEX_ENTRY_BYTES,
  INDEX_HEAD_BYTES,
  INDEX_TAG,
  PREAMBLE_BYTES,
  TRAILER_BYTES,
} from "./container-format.ts";
import { openContainer } from "./container-reader.ts";
import type { EpsRules } from "./eps-rules.ts";
import type { TrajectoryFrame } from "./frame.ts";
import type { BoundMode } from "./group-codec.ts";
import { TrajectoryCore } from "./trajectory-core.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** How a trajectory is packed. */
export interface PackOptions {
  readonly rules: EpsRules;
  /** `max`: |error| <= eps. `rms`: that, and a root mean square under eps / 2 in every chunk, for 0.2 bit a value. */
  readonly mode: "max" | "rms";
  /** Frames of a chunk at most, 1 … 1024; 128 by default. One frame is read by decoding its chunk. */
  readonly chunkFrames?: number;
  /** Whether rows come back in the order that the dump had; else they rise by id. */
  readonly keepRows?: boolean;
  readonly core?: TrajectoryCore;
  /** Threads that code chunks at most, beside the caller's; the bytes are the same. Unless over 1, the caller's does. */
  readonly threads?: number;
  /** Values of a chunk at most, 8 bytes each and three times that in the core: fewer frames where atoms are many. Up to 2^25. */
  readonly mostValues?: number;
}

/** Result of a chunk that was written. */
export interface WrittenChunk {
  readonly frames: number;
  readonly bytes: number;
  /** Largest |error| / eps of all columns that have a bound. */
  readonly maxErrorOverEps: number;
}

/** A bound that was asked for, and how near to it the columns came. */
export interface WrittenBound {
  readonly columns: readonly string[];
  readonly mode: BoundMode;
  /** In the columns' own unit; 0 for `exact`. */
  readonly eps: number;
  /** Largest |error| / eps. */
  readonly maxErrorOverEps: number;
}

/** Frames of a chunk, unless fewer are asked for. */
const DEFAULT_CHUNK_FRAMES = 128;
/** A reader takes no more than twice as many. */
const MOST_VALUES = 1 << 25;
const WRITER = "lockstep";

/** A chunk that a thread is at work on, and the groups whose errors count. */
interface PendingChunk {
  readonly order: ChunkOrder;
  readonly groups: readonly ColumnGroup[];
  readonly chunk: Promise<EncodedChunk>;
}

/** Packs frames into a container, front to back; memory is one chunk, and those that are with threads. */
export class ContainerWriter {
  /** A reader that takes its arrays from here gets those of frames again that are coded. */
  readonly room: ColumnRoom = new ColumnArena();
  readonly #file: FileHandle;
  readonly #options: PackOptions;
  readonly #core: TrajectoryCore;
  readonly #pool: ChunkPool | undefined;
  readonly #chunks: ChunkPlace[];
  readonly #groups = new Map<string, readonly ColumnGroup[]>();
  readonly #bounds = new Map<string, WrittenBound>();
  #pending: OrderedFrame[] = [];
  /** With threads, in the order of the file. */
  #coding: PendingChunk[] = [];
  #end: number;
  #frames: number;

  private constructor(
    file: FileHandle,
    options: PackOptions,
    core: TrajectoryCore,
    chunks: readonly ChunkPlace[],
    end: number,
  ) {
    this.#file = file;
    this.#options = options;
    this.#core = core;
    const { threads = 1 } = options;
    this.#pool = threads > 1 ? new ChunkPool(threads) : undefined;
    this.#chunks = [...chunks];
    this.#end = end;
    this.#frames = chunks.reduce((sum, { frames }) => sum + frames, 0);
  }

  /**
   * Begin a container.
   *
   * @param file  open for writing, empty; stays the caller's to sync and close
   */
  static async create(file: FileHandle, options: PackOptions): Promise<ContainerWriter> {
    const core = options.core ?? TrajectoryCore.load();
    const writer = Buffer.from(WRITER);
    const bytes = Buffer.alloc(PREAMBLE_BYTES + writer.length + CRC_BYTES);
    bytes.set(CONTAINER_MAGIC);
    bytes.writeUInt16LE(CONTAINER_VERSION, 8);
    bytes.writeUInt16LE(writer.length, 10);
    bytes.set(writer, PREAMBLE_BYTES);
    const end = bytes.length - CRC_BYTES;
    bytes.writeUInt32LE(core.checksum(bytes.subarray(0, end)), end);
    await writeAt(file, bytes, 0);
    return new ContainerWriter(file, options, core, [], bytes.length);
  }

  /**
   * Go on with one that was ended, or that its writer did not come to end: what is not a whole chunk there is cut off.
   *
   * @param file  open for reading and writing
   * @param name  what errors call it
   * @throws {TrajectoryError} as `openContainer`; `bad-container` where it is damaged before its last chunk
   */
  static async append(file: FileHandle, name: string, options: PackOptions): Promise<ContainerWriter> {
    const core = options.core ?? TrajectoryCore.load();
    const { map } = await openContainer(file, name, core);
    const inner = map.damage.find(({ from }) => from < map.end);
    if (inner !== undefined) {
      throw new TrajectoryError("bad-container", inner.problem, "unpack what is left of it, and pack that again", {
        file: name,
        byte: inner.from,
      });
    }
    await file.truncate(map.end);
    return new ContainerWriter(file, options, core, map.chunks, map.end);
  }

  /** Frames and bytes that are in the file by now. */
  get written(): { readonly frames: number; readonly bytes: number } {
    return { frames: this.#frames, bytes: this.#end };
  }

  /** The bounds of everything that was written. */
  get bounds(): readonly WrittenBound[] {
    return [...this.#bounds.values()];
  }

  /**
   * Add a frame; its arrays are not to be used afterwards: threads take them away, or `room` has them again.
   *
   * @returns the last chunk that is in the file because of this, if any
   */
  async add(frame: TrajectoryFrame): Promise<WrittenChunk | undefined> {
    const next = orderFrame(frame);
    const [first] = this.#pending;
    const isFull = this.#pending.length >= this.#chunkFrames(frame);
    const isOther = first !== undefined && !isAlike(first, next);
    const written = isFull || isOther ? await this.#flush() : undefined;
    this.#pending.push(next);
    return written;
  }

  /** End its threads, if any: for whoever does not come to `end`, which does it too. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  /** Write what is pending and the index. The file is whole after it. */
  async end(): Promise<WrittenChunk | undefined> {
    let written = await this.#flush();
    while (this.#coding.length > 0) written = await this.#writeNext();
    const index = Buffer.alloc(INDEX_HEAD_BYTES + this.#chunks.length * INDEX_ENTRY_BYTES + CRC_BYTES + TRAILER_BYTES);
    index.writeUInt32LE(INDEX_TAG, 0);
    index.writeUInt32LE(this.#chunks.length, 4);
    let at = INDEX_HEAD_BYTES;
    for (const { offset, frames } of this.#chunks) {
      index.writeBigUInt64LE(BigInt(offset), at);
      index.writeUInt32LE(frames, at + 8);
      at += INDEX_ENTRY_BYTES;
    }
    index.writeUInt32LE(this.#core.checksum(index.subarray(0, at)), at);
    index.writeBigUInt64LE(BigInt(this.#end), at + CRC_BYTES);
    index.writeUInt32LE(END_TAG, at + CRC_BYTES + 8);
    await writeAt(this.#file, index, this.#end);
    this.#end += index.length;
    await this.close();
    return written;
  }

  #chunkFrames(frame: TrajectoryFrame): number {
    const asked = this.#options.chunkFrames ?? DEFAULT_CHUNK_FRAMES;
    const most = Math.min(this.#options.mostValues ?? MOST_VALUES, MOST_VALUES);
    const values = Math.max(1, frame.atoms * frame.columns.length);
    return Math.max(1, Math.min(asked, this.#core.maxFrames, Math.floor(most / values)));
  }

  async #flush(): Promise<WrittenChunk | undefined> {
    const [first] = this.#pending;
    if (first === undefined) return undefined;
    const { keepRows = false } = this.#options;
    const pool = this.#pool;
    const order = { groups: this.#groupsOf(first.frame), frames: this.#pending, keepRows };
    this.#pending = [];
    // Without atoms there is nothing that a bound could be taken from, or hold.
    const groups = first.frame.atoms === 0 ? [] : order.groups;
    if (pool === undefined) {
      const chunk = encodeChunk(this.#core, order.groups, order.frames, keepRows);
      this.#giveBack(order);
      return await this.#write(chunk, groups);
    }
    let written: WrittenChunk | undefined;
    while (!pool.hasRoom(order)) written = await this.#writeNext();
    const chunk = pool.encode(order);
    // Whoever waits for it hears what went wrong; until then it is nobody's failure.
    chunk.catch(() => {});
    this.#coding.push({ order, groups, chunk });
    return written;
  }

  /** The oldest chunk that is with a thread. */
  async #writeNext(): Promise<WrittenChunk | undefined> {
    const next = this.#coding.shift();
    if (next === undefined) return undefined;
    const chunk = await next.chunk;
    this.#giveBack(next.order);
    return await this.#write(chunk, next.groups);
  }

  #giveBack(order: ChunkOrder): void {
    for (const array of arraysOf(order)) this.room.give(array);
  }

  async #write(chunk: EncodedChunk, groups: readonly ColumnGroup[]): Promise<WrittenChunk> {
    const bytes = this.#assemble(chunk);
    await writeAt(this.#file, bytes, this.#end);
    this.#chunks.push({ offset: this.#end, frames: chunk.frames, firstFrame: this.#frames });
    this.#end += bytes.length;
    this.#frames += chunk.frames;
    for (const [i, { columns, mode, eps }] of groups.entries()) {
      const key = `${columns.join(" ")} ${mode} ${eps}`;
      const before = this.#bounds.get(key)?.maxErrorOverEps ?? 0;
      this.#bounds.set(key, { columns, mode, eps, maxErrorOverEps: Math.max(before, chunk.errors[i] ?? 0) });
    }
    return { frames: chunk.frames, bytes: bytes.length, maxErrorOverEps: Math.max(0, ...chunk.errors) };
  }

  /**
   * The same for all frames with these columns: bounds relative to the rms are those of the first that has atoms. What
   * rests there, as before velocities are made, is kept as it is until a chunk begins with it in motion.
   */
  #groupsOf(frame: TrajectoryFrame): readonly ColumnGroup[] {
    const key = frame.columns.map(({ name, kind }) => `${name}${kind === "text" ? "!" : ""}`).join(" ") + restOf(frame);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const groups = groupColumns(frame, this.#options.rules, this.#options.mode);
    if (frame.atoms > 0) this.#groups.set(key, groups);
    return groups;
  }

  #assemble({ frames, head: facts, blocks }: EncodedChunk): Buffer {
    const head = encodeHead(facts);
    const bodyBytes = blocks.reduce((sum, block) => sum + block.length, 0);
    const preamble = Buffer.alloc(CHUNK_PREAMBLE_BYTES);
    preamble.writeUInt32LE(CHUNK_TAG, 0);
    preamble.writeUInt32LE(frames, 4);
    preamble.writeBigUInt64LE(BigInt(this.#frames), 8);
    preamble.writeUInt32LE(head.length, 16);
    preamble.writeUInt32LE(bodyBytes, 20);
    const crc = this.#core.checksum(preamble.subarray(0, -CRC_BYTES), head);
    preamble.writeUInt32LE(crc, CHUNK_PREAMBLE_BYTES - CRC_BYTES);
    return Buffer.concat([preamble, head, ...blocks]);
  }
}

/** Which of velocities and forces are nothing but zeros. */
function restOf({ columns }: TrajectoryFrame): string {
  const isAtRest = (vector: string) =>
    columns.every((column) => {
      const isOther = column.kind === "text" || !/^[vf][xyz]$/.test(column.name) || !column.name.startsWith(vector);
      return isOther || column.values.every((value) => value === 0);
    });
  return ` ${["v", "f"].filter(isAtRest).join(" ")}`;
}

/** Whether two frames go into one chunk. */
function isAlike(a: OrderedFrame, b: OrderedFrame): boolean {
  if (a.frame.units !== b.frame.units || a.frame.columns.length !== b.frame.columns.length) return false;
  const isSame = a.frame.columns.every(({ name, kind }, i) => {
    const other = b.frame.columns[i];
    return other?.name === name && (other.kind === "text") === (kind === "text");
  });
  return isSame && haveSameAtoms(a, b);
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}
