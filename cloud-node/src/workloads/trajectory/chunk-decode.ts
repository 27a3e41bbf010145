import { pickColumn } from "./atom-order.ts";
import type { Box } from "./box.ts";
import type { ChunkBlock, ChunkBox, ChunkHead } from "./chunk-head.ts";
import { decodeExact } from "./exact-bytes.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { decodeGroup, type Move, readGroup } from "./group-codec.ts";
import { decodeTurns, movesOf, periodsOf } from "./periodic-path.ts";
import type { TrajectoryCore } from "./trajectory-core.ts";
import { VarintReader } from "./varints.ts";

const FLOAT64_BYTES = 8;
/** Of all columns: twice what a writer puts into a chunk of more than one frame. */
const MOST_VALUES = 1 << 26;
/** Of a chunk of one frame: what a dump may have. */
const MOST_CELLS = 1 << 28;

/** What is wrong with a chunk whose checksums are right: it was never written by an encoder. */
class ChunkProblem extends Error {}

/** One group's values, by frame and axis. */
type GroupValues = (frame: number, axis: number) => Float64Array;
/** The same, moved. */
type MovedValues = (frame: number, axis: number, moves?: readonly Move[]) => Float64Array;

/** A chunk of which some columns were decoded. */
export interface DecodedChunk {
  /** Names that were asked for, and are there. */
  readonly columns: readonly string[];
  /** The chunk's frame `index`, with those columns. */
  frame(index: number): TrajectoryFrame;
}

/**
 * Decode the columns that are asked for, and those that they are predicted from.
 *
 * What is given lives in the core's memory until it is used for another chunk.
 *
 * @param blockAt  bytes of a block, checked by their checksum
 * @param wanted  names; undefined for all
 * @returns one line that says what is wrong where the chunk is not what an encoder writes
 */
export function decodeChunk(
  core: TrajectoryCore,
  head: ChunkHead,
  blockAt: (index: number) => Uint8Array,
  wanted: ReadonlySet<string> | undefined,
): DecodedChunk | string {
  core.clear();
  try {
    return new ChunkDecoder(core, head, blockAt).decode(wanted);
  } catch (error) {
    if (error instanceof ChunkProblem) return error.message;
    // Sizes that lie, and pass for right: they run out of the core's memory, or of what an array can hold.
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return "its blocks fit no memory";
    throw error;
  }
}

class ChunkDecoder {
  readonly #core: TrajectoryCore;
  readonly #head: ChunkHead;
  readonly #blockAt: (index: number) => Uint8Array;
  readonly #planes = new Map<number, number>();
  readonly #values = new Map<number, GroupValues>();

  constructor(core: TrajectoryCore, head: ChunkHead, blockAt: (index: number) => Uint8Array) {
    this.#core = core;
    this.#head = head;
    this.#blockAt = blockAt;
  }

  decode(wanted: ReadonlySet<string> | undefined): DecodedChunk {
    const { groups, blocks, columns } = this.#head;
    this.#checkSize();
    for (const index of blocks.keys()) {
      if (groups[index]?.columns.some((name) => wanted === undefined || wanted.has(name)))
        this.#values.set(index, this.#groupOfChunk(index));
    }
    const names = columns.filter((name) => wanted === undefined || wanted.has(name));
    for (const index of this.#values.keys()) this.#checkWords(index);
    const ids = this.#ids();
    const rows = this.#rows();
    return { columns: names, frame: (index) => this.#frame(index, names, ids[index] ?? ids[0], rows[index]) };
  }

  /** Before memory is taken for it: what the core can hold, and what its blocks can have come from. */
  #checkSize(): void {
    const { atoms, steps, columns } = this.#head;
    const values = atoms * Math.max(1, columns.length) * steps.length;
    if (steps.length > this.#core.maxFrames) throw new ChunkProblem(`${steps.length} frames are too many`);
    if (values > (steps.length > 1 ? MOST_VALUES : MOST_CELLS)) {
      throw new ChunkProblem(`${atoms} atoms of ${columns.length} columns in ${steps.length} frames are too many`);
    }
  }

  #block(index: number): ChunkBlock {
    const block = this.#head.blocks[index];
    if (block === undefined) throw new ChunkProblem(`there is no block ${index}`);
    return block;
  }

  #shape(index: number) {
    const { atoms, groups } = this.#head;
    const axes = groups[index]?.columns.length ?? 1;
    return { frames: this.#block(index).frames, axes, atoms, elementBytes: FLOAT64_BYTES } as const;
  }

  /** A block's plane; decoded once. */
  #plane(index: number): number {
    const known = this.#planes.get(index);
    if (known !== undefined) return known;
    const block = this.#block(index);
    const shape = this.#shape(index);
    if (block.coding !== "codes") throw new ChunkProblem(`block ${index} leans on values that are not coded`);
    const partners = block.partners.map((partner) => {
      const { axes, frames } = this.#shape(partner);
      if (axes !== shape.axes || frames !== shape.frames)
        throw new ChunkProblem(`block ${index} leans on another shape`);
      return this.#plane(partner);
    });
    const plane = decodeGroup(this.#core, shape, this.#blockAt(index), partners);
    if (plane === undefined) throw new ChunkProblem(`block ${index} does not decode`);
    this.#planes.set(index, plane);
    return plane;
  }

  /** Also of a block that has one frame for all. */
  #groupOfChunk(index: number): GroupValues {
    const values = this.#group(index);
    const isStill = this.#block(index).frames < this.#head.steps.length;
    return isStill ? (_frame, axis) => values(0, axis) : values;
  }

  #group(index: number): GroupValues {
    const block = this.#block(index);
    const shape = this.#shape(index);
    if (block.coding === "bytes") return this.#exact(index);
    const coded = { plane: this.#plane(index), unit: block.unit, escapes: this.#escapes(index) };
    const values: MovedValues = (frame, axis, moves) =>
      readGroup(this.#core, shape, coded, frame, axis, new Float64Array(shape.atoms), moves);
    return block.turns.length === 0 ? values : this.#wrapped(index, values);
  }

  #exact(index: number): GroupValues {
    const { frames, axes, atoms } = this.#shape(index);
    const decoded = decodeExact(this.#blockAt(index), frames, axes * atoms, FLOAT64_BYTES);
    if (decoded === undefined) throw new ChunkProblem(`block ${index} does not inflate to its values`);
    return (frame, axis) => {
      const from = axis * atoms * FLOAT64_BYTES;
      return new Float64Array(
        (decoded[frame] as Uint8Array).slice(from, from + atoms * FLOAT64_BYTES).buffer as ArrayBuffer,
      );
    };
  }

  #checkWords(index: number): void {
    const { words, kinds, frames } = this.#block(index);
    if (!kinds.includes("t")) return;
    for (let frame = 0; frame < frames; frame++) {
      const codes = this.#values.get(index)?.(frame, 0) ?? [];
      for (const code of codes) if (!(code >= 0 && code < words.length)) throw new ChunkProblem("a word is none");
    }
  }

  #escapes(index: number) {
    const { escapes, escapeBits } = this.#block(index);
    const { frames, axes, atoms } = this.#shape(index);
    const count = escapeBits.length / FLOAT64_BYTES;
    const reader = new VarintReader(escapes);
    const indices = new Uint32Array(Math.floor(count));
    let next = 0;
    for (let i = 0; i < indices.length; i++) {
      const at = next + reader.next();
      if (at >= frames * axes * atoms) throw new ChunkProblem(`an escape of block ${index} is out of range`);
      indices[i] = at;
      next = at + 1;
    }
    if (!reader.isWhole || !Number.isInteger(count)) throw new ChunkProblem(`escapes of block ${index} are not whole`);
    return { indices, bits: new Uint8Array(escapeBits) };
  }

  #wrapped(index: number, values: MovedValues): GroupValues {
    const group = this.#head.groups[index];
    const { frames, axes, atoms } = this.#shape(index);
    const boxes = Array.from({ length: frames }, (_, frame) => this.#box(frame));
    const periods = group && periodsOf(boxes, group.axes, group.period === "unit");
    const isFit = periods !== undefined && group?.axes.length === axes;
    const path = isFit ? decodeTurns(this.#block(index).turns, values, periods, atoms) : undefined;
    if (periods === undefined || path === undefined) {
      throw new ChunkProblem(`turns of block ${index} are damaged`);
    }
    return (frame, axis) => values(frame, axis, movesOf(path, periods, frame, axis, -1));
  }

  #box(frame: number): Box {
    const { shape, boundary, bounds } = this.#head.boxes.findLast(({ from }) => from <= frame) as ChunkBox;
    const [a = "", b = "", c = ""] = boundary ?? [];
    return { shape, boundary: boundary === null ? undefined : [a, b, c], bounds };
  }

  #ids(): (Float64Array | undefined)[] {
    const { atoms, ids, idOrder, steps } = this.#head;
    if (idOrder === "none") return [];
    const lists = idOrder === "rising" ? 1 : steps.length;
    if (ids.length < atoms * lists) throw new ChunkProblem("ids are missing");
    const reader = new VarintReader(ids);
    const out = Array.from({ length: lists }, () => {
      let next = 0;
      return Float64Array.from({ length: atoms }, () => {
        const id = next + reader.next();
        if (idOrder === "rising") next = id + 1;
        return id;
      });
    });
    if (!reader.isWhole) throw new ChunkProblem("ids are not whole");
    return out;
  }

  /** For each frame the row here of each row of the dump. */
  #rows(): (Uint32Array | undefined)[] {
    const { atoms, rows } = this.#head;
    return rows.map((bytes) => {
      if (bytes.length === 0) return undefined;
      if (bytes.length < atoms) throw new ChunkProblem("rows are missing");
      const reader = new VarintReader(bytes);
      const back = new Uint32Array(atoms);
      const isSeen = new Uint8Array(atoms);
      let row = 0;
      for (let i = 0; i < atoms; i++) {
        row += reader.nextSigned();
        if (row < 0 || row >= atoms || isSeen[row] === 1) throw new ChunkProblem("rows are no permutation");
        isSeen[row] = 1;
        back[row] = i;
      }
      if (!reader.isWhole) throw new ChunkProblem("rows are not whole");
      return back;
    });
  }

  #frame(
    index: number,
    names: readonly string[],
    ids: Float64Array | undefined,
    rows: Uint32Array | undefined,
  ): TrajectoryFrame {
    const { steps, times, units, atoms } = this.#head;
    const columns = names.map((name): Column => {
      const column = name === "id" ? idColumn(ids) : this.#column(name, index);
      return rows === undefined ? column : pickColumn(column, rows);
    });
    const idValues = columns.find((column) => column.name === "id");
    return {
      step: BigInt(steps[index] ?? 0),
      time: times[index] ?? undefined,
      units: units ?? undefined,
      box: this.#box(index),
      atoms,
      ids: idValues?.kind === "text" ? undefined : idValues?.values,
      columns,
      source: undefined,
    };
  }

  #column(name: string, frame: number): Column {
    const { groups, blocks } = this.#head;
    const index = groups.findIndex(({ columns }) => columns.includes(name));
    const block = blocks[index];
    const axis = groups[index]?.columns.indexOf(name) ?? 0;
    const values = this.#values.get(index)?.(frame, axis) ?? new Float64Array(0);
    const kind = block?.kinds[block.kinds.length === 1 ? 0 : frame];
    if (kind !== "t") return { kind: kind === "i" ? "integer" : "real", name, values };
    const words = block?.words ?? [];
    return { kind: "text", name, words, codes: Uint32Array.from(values) };
  }
}

function idColumn(ids: Float64Array | undefined): Column {
  return { kind: "integer", name: "id", values: (ids ?? new Float64Array(0)).slice() };
}
