import type { FileHandle } from "node:fs/promises";
import { type DecodedChunk, decodeChunk } from "./chunk-decode.ts";
import { type ChunkHead, decodeHead } from "./chunk-head.ts";
import {
  CHUNK_PREAMBLE_BYTES,
  type ChunkPlace,
  CONTAINER_MAGIC,
  CONTAINER_VERSION,
  CRC_BYTES,
  PREAMBLE_BYTES,
  readPreamble,
} from "./container-format.ts";
import { type ContainerDamage, type ContainerMap, mapContainer, readAt } from "./container-scan.ts";
import type { TrajectoryFrame } from "./frame.ts";
import type { BoundMode } from "./group-codec.ts";
import { TrajectoryCore } from "./trajectory-core.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const START_OVER = "pack it again from its source";

/** A chunk's head and where its blocks are. */
interface OpenChunk {
  readonly place: ChunkPlace;
  readonly head: ChunkHead;
  /** Offset in the file of each block. */
  readonly blocks: readonly number[];
}

/**
 * Read the first bytes of a container and find its chunks.
 *
 * @param name  what errors call it
 * @throws {TrajectoryError} `not-a-container`, `unknown-version`, `bad-container`
 */
export async function openContainer(
  file: FileHandle,
  name: string,
  core: TrajectoryCore,
): Promise<{ readonly map: ContainerMap; readonly writer: string }> {
  const preamble = await readAt(file, 0, PREAMBLE_BYTES);
  if (preamble.length < PREAMBLE_BYTES || !preamble.subarray(0, 8).equals(CONTAINER_MAGIC)) {
    const problem = "this is no trajectory container: it does not begin with its eight magic bytes";
    throw new TrajectoryError("not-a-container", problem, "give a file that `trajectory pack` wrote", { file: name });
  }
  const version = preamble.readUInt16LE(8);
  if (version !== CONTAINER_VERSION) {
    const problem = `its version is ${version}, and this program reads version ${CONTAINER_VERSION}`;
    throw new TrajectoryError("unknown-version", problem, "use the release that wrote it", { file: name, byte: 8 });
  }
  const length = preamble.readUInt16LE(10);
  const rest = await readAt(file, PREAMBLE_BYTES, length + CRC_BYTES);
  const writer = rest.subarray(0, length);
  const isWhole = rest.length === length + CRC_BYTES && core.checksum(preamble, writer) === rest.readUInt32LE(length);
  if (!isWhole) {
    throw new TrajectoryError("bad-container", "its first bytes are damaged", START_OVER, { file: name, byte: 0 });
  }
  const map = await mapContainer(core, file, PREAMBLE_BYTES + length + CRC_BYTES);
  return { map, writer: writer.toString() };
}

/** What a column's values keep to. */
export interface ColumnBound {
  /** All columns that are coded with it, itself among them: a root mean square is one of them together. */
  readonly group: readonly string[];
  readonly mode: BoundMode;
  /** In the column's own unit; 0: the values are as they were. */
  readonly eps: number;
  /** Digits after the point that a text needs to keep the bound; undefined: all that a value has. */
  readonly decimals: number | undefined;
}

/** Reads a container: any frame, any columns. Memory is one chunk. */
export class ContainerReader {
  /** How many frames can be read. */
  readonly frames: number;
  /** What cannot be; empty for a file that is whole. */
  readonly damage: readonly ContainerDamage[];
  /** False where the writer did not come to its end, or the end was lost: more frames may have been meant. */
  readonly isFinished: boolean;
  /** Which program wrote it. */
  readonly writer: string;
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #core: TrajectoryCore;
  readonly #chunks: readonly ChunkPlace[];
  /** First frame that can be read of each chunk: their own numbers have gaps where chunks are lost. */
  readonly #firsts: readonly number[];
  #opened: OpenChunk | undefined;
  #decoded: { readonly key: string; readonly chunk: DecodedChunk } | undefined;

  private constructor(file: FileHandle, name: string, core: TrajectoryCore, map: ContainerMap, writer: string) {
    this.writer = writer;
    this.#file = file;
    this.#name = name;
    this.#core = core;
    this.#chunks = map.chunks;
    this.damage = map.damage;
    this.isFinished = map.isFinished;
    let frames = 0;
    this.#firsts = map.chunks.map((chunk) => {
      const first = frames;
      frames += chunk.frames;
      return first;
    });
    this.frames = frames;
  }

  /**
   * @param file  open for reading; stays the caller's to close
   * @param name  what errors call it
   * @throws {TrajectoryError} as `openContainer`
   */
  static async open(file: FileHandle, name: string, core = TrajectoryCore.load()): Promise<ContainerReader> {
    const { map, writer } = await openContainer(file, name, core);
    return new ContainerReader(file, name, core, map, writer);
  }

  /**
   * One frame.
   *
   * @param index  0 … `frames` - 1
   * @param columns  which to decode; undefined for all
   * @throws {TrajectoryError} `no-such-frame`; `no-such-column`; `bad-chunk` where its bytes are damaged
   */
  async frame(index: number, columns?: readonly string[]): Promise<TrajectoryFrame> {
    const number = this.#chunkOf(index);
    const chunk = await this.#chunk(number, columns);
    return chunk.frame(index - (this.#firsts[number] ?? 0));
  }

  /**
   * The bounds of one frame's columns, but for `id`, which has none.
   *
   * @throws {TrajectoryError} `no-such-frame`; `bad-chunk`
   */
  async bounds(index: number): Promise<ReadonlyMap<string, ColumnBound>> {
    const { head } = await this.#open(this.#chunks[this.#chunkOf(index)] as ChunkPlace);
    return new Map(
      head.groups.flatMap(({ columns, mode, eps, decimals }, i) => {
        const isRounded = eps > 0 && head.blocks[i]?.coding === "codes";
        const bound = { group: columns, mode, eps, decimals: isRounded ? decimals : undefined };
        return columns.map((name) => [name, bound] as const);
      }),
    );
  }

  /** Frames `from` … `to` - 1 in order, as `frame` gives them. */
  async *read(from = 0, to = this.frames, columns?: readonly string[]): AsyncGenerator<TrajectoryFrame> {
    for (let index = from; index < to; index++) yield await this.frame(index, columns);
  }

  /** What every chunk says of itself, and how many bytes its head and blocks take. */
  async *heads(): AsyncGenerator<{ readonly head: ChunkHead; readonly bytes: number }> {
    for (const place of this.#chunks) {
      const { head, blocks } = await this.#open(place);
      const body = head.blocks.reduce((sum, block) => sum + block.bytes, 0);
      yield { head, bytes: (blocks[0] ?? place.offset) - place.offset + body };
    }
  }

  /** Number of the chunk that a frame is in. */
  #chunkOf(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < this.frames) {
      return this.#firsts.findLastIndex((first) => first <= index);
    }
    const remedy = this.frames === 0 ? "it has none at all" : `give a number from 0 to ${this.frames - 1}`;
    throw new TrajectoryError("no-such-frame", `there is no frame ${index}`, remedy, { file: this.#name });
  }

  /** A decoded chunk; the last one is kept. */
  async #chunk(number: number, columns: readonly string[] | undefined): Promise<DecodedChunk> {
    const key = `${number} ${columns?.join(" ") ?? "*"}`;
    if (this.#decoded?.key === key) return this.#decoded.chunk;
    this.#decoded = undefined;
    const open = await this.#open(this.#chunks[number] as ChunkPlace);
    const missing = columns?.find((column) => !open.head.columns.includes(column));
    if (missing !== undefined) {
      const remedy = `it has ${open.head.columns.join(" ")}`;
      throw new TrajectoryError("no-such-column", `there is no column ${missing}`, remedy, { file: this.#name });
    }
    const wanted = columns && new Set(columns);
    const blocks = await this.#readBlocks(open, wanted);
    const chunk = decodeChunk(this.#core, open.head, (index) => blocks.get(index) ?? new Uint8Array(0), wanted);
    if (typeof chunk === "string") throw this.#damaged(open.place, chunk);
    this.#decoded = { key, chunk };
    return chunk;
  }

  /** A chunk's head, checked; the last one is kept. */
  async #open(place: ChunkPlace): Promise<OpenChunk> {
    if (this.#opened?.place === place) return this.#opened;
    const bytes = await readAt(this.#file, place.offset, CHUNK_PREAMBLE_BYTES);
    const preamble = readPreamble(bytes, place.offset);
    if (preamble === undefined) throw this.#damaged(place, "no chunk begins here");
    const headBytes = await readAt(this.#file, place.offset + CHUNK_PREAMBLE_BYTES, preamble.headBytes);
    if (this.#core.checksum(bytes.subarray(0, -CRC_BYTES), headBytes) !== preamble.crc) {
      throw this.#damaged(place, "its checksum is wrong");
    }
    const head = decodeHead(headBytes);
    if (typeof head === "string") throw this.#damaged(place, head);
    if (head.steps.length !== place.frames) throw this.#damaged(place, "its head has another number of frames");
    const blocks: number[] = [];
    let offset = place.offset + CHUNK_PREAMBLE_BYTES + preamble.headBytes;
    for (const block of head.blocks) {
      blocks.push(offset);
      offset += block.bytes;
    }
    this.#opened = { place, head, blocks };
    return this.#opened;
  }

  /** The blocks that the wanted columns need, checked. */
  async #readBlocks(
    { place, head, blocks }: OpenChunk,
    wanted: ReadonlySet<string> | undefined,
  ): Promise<Map<number, Uint8Array>> {
    const needed = new Set<number>();
    for (let i = head.blocks.length - 1; i >= 0; i--) {
      const isWanted = head.groups[i]?.columns.some((name) => wanted === undefined || wanted.has(name));
      if (isWanted === true) needed.add(i);
      if (needed.has(i)) for (const partner of head.blocks[i]?.partners ?? []) needed.add(partner);
    }
    const out = new Map<number, Uint8Array>();
    for (const index of needed) {
      const { bytes: length = 0, crc = 0 } = head.blocks[index] ?? {};
      const bytes = await readAt(this.#file, blocks[index] ?? 0, length);
      if (bytes.length !== length || this.#core.checksum(bytes) !== crc) {
        throw this.#damaged(place, `block ${index}, ${head.groups[index]?.columns.join(" ")}, is damaged`);
      }
      out.set(index, bytes);
    }
    return out;
  }

  #damaged(place: ChunkPlace, problem: string): TrajectoryError {
    const chunk = this.#chunks.indexOf(place);
    return new TrajectoryError("bad-chunk", `chunk ${chunk}: ${problem}`, START_OVER, {
      file: this.#name,
      byte: place.offset,
    });
  }
}
