import { bytesOf } from "./array-bytes.ts";
import type { ColumnRoom } from "./column-arena.ts";
import { isWholeWord, isWord, kindOfName, type NamedKind, numberOfWord } from "./column-names.ts";
import type { Column, NumberColumn } from "./frame.ts";
import type { RowKernel } from "./row-kernel.ts";
import { TrajectoryError, type TrajectoryPlace } from "./trajectory-error.ts";

const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;
/** Rows that are believed without having been seen; beyond them, memory grows with the rows. */
const TRUSTED_ROWS = 1 << 16;
/** Different words that a column of one frame may hold: half of what a Map does. */
const MAX_WORDS = 1 << 23;

/** What the frames before have taught about a file. */
export interface FrameMemory {
  /** Names of columns that were words: they stay words. */
  readonly texts: Set<string>;
  /** Rows of the frame before. */
  rows: number;
  readonly room: ColumnRoom;
}

/** Where a cell is, by its row in the tile and its offset in the kernel's text. */
export type PlaceOfCell = (row: number, offset: number) => TrajectoryPlace;

/** The columns of the frame that is being read: they grow by tiles, and are handed over once it is whole. */
export class FrameColumns {
  readonly #columns: readonly GrowingColumn[];
  readonly #memory: FrameMemory;
  readonly #atoms: number;
  #rows = 0;
  #capacity: number;

  /** @param memory  of the file; added to here */
  constructor(kernel: RowKernel, names: readonly string[], atoms: number, memory: FrameMemory) {
    const { texts, rows, room } = memory;
    this.#memory = memory;
    this.#atoms = atoms;
    this.#capacity = Math.min(atoms, Math.max(TRUSTED_ROWS, rows));
    this.#columns = names.map((name, index) => {
      const kind = texts.has(name) ? "text" : kindOfName(name);
      const isText = kind === "text" || kind === "unknown";
      return isText
        ? new GrowingText(kernel, index, name, kind, this.#capacity, texts)
        : new GrowingNumbers(kernel, index, name, kind, this.#capacity, room);
    });
    kernel.beginFrame(this.#columns.map((column) => column instanceof GrowingText));
  }

  /** Rows that are still to come. */
  get missing(): number {
    return this.#atoms - this.#rows;
  }

  /**
   * Add the rows that the kernel has just taken.
   *
   * @throws {TrajectoryError} `bad-text` for a word that is not printable UTF-8
   */
  addTile(rows: number, placeOf: PlaceOfCell): void {
    if (this.#rows + rows > this.#capacity) {
      this.#capacity = Math.min(this.#atoms, Math.max(2 * this.#capacity, this.#rows + rows));
      for (const column of this.#columns) column.grow(this.#capacity);
    }
    for (const column of this.#columns) column.add(this.#rows, rows, placeOf);
    this.#rows += rows;
  }

  /** The whole frame's columns; nothing of them is kept. */
  finish(): Column[] {
    this.#memory.rows = this.#atoms;
    return this.#columns.map((column) => column.finish());
  }
}

interface GrowingColumn {
  grow(capacity: number): void;
  add(start: number, rows: number, placeOf: PlaceOfCell): void;
  finish(): Column;
}

class GrowingNumbers implements GrowingColumn {
  readonly #kernel: RowKernel;
  readonly #index: number;
  readonly #name: string;
  readonly #kind: NamedKind;
  readonly #room: ColumnRoom;
  #values: Float64Array;

  constructor(kernel: RowKernel, index: number, name: string, kind: NamedKind, capacity: number, room: ColumnRoom) {
    this.#kernel = kernel;
    this.#index = index;
    this.#name = name;
    this.#kind = kind;
    this.#room = room;
    this.#values = room.take(capacity);
  }

  grow(capacity: number): void {
    const grown = this.#room.take(capacity);
    grown.set(this.#values);
    this.#room.give(this.#values);
    this.#values = grown;
  }

  add(start: number, rows: number): void {
    bytesOf(this.#kernel.values(this.#index, rows)).copy(bytesOf(this.#values), start * VALUE_BYTES);
  }

  finish(): NumberColumn {
    const isInteger = this.#kind !== "real" && this.#kernel.isWhole(this.#index);
    return { kind: isInteger ? "integer" : "real", name: this.#name, values: this.#values };
  }
}

class GrowingText implements GrowingColumn {
  readonly #kernel: RowKernel;
  readonly #index: number;
  readonly #name: string;
  readonly #kind: NamedKind;
  readonly #texts: Set<string>;
  readonly #codeOf = new Map<string, number>();
  #codes: Uint32Array<ArrayBuffer>;

  constructor(kernel: RowKernel, index: number, name: string, kind: NamedKind, capacity: number, texts: Set<string>) {
    this.#kernel = kernel;
    this.#index = index;
    this.#name = name;
    this.#kind = kind;
    this.#texts = texts;
    this.#codes = new Uint32Array(capacity);
  }

  grow(capacity: number): void {
    const grown = new Uint32Array(capacity);
    grown.set(this.#codes);
    this.#codes = grown;
  }

  add(start: number, rows: number, placeOf: PlaceOfCell): void {
    const spans = this.#kernel.spans(this.#index, rows);
    for (let row = 0; row < rows; row++) {
      const offset = spans[2 * row] ?? 0;
      const word = this.#kernel.text.toString("utf8", offset, offset + (spans[2 * row + 1] ?? 0));
      this.#codes[start + row] = this.#codeOf.get(word) ?? this.#learn(word, placeOf(row, offset));
    }
  }

  finish(): Column {
    const words = [...this.#codeOf.keys()];
    if (this.#kind === "unknown") {
      const numbers = words.map(numberOfWord);
      if (!numbers.includes(undefined)) return this.#asNumbers(words, numbers);
      this.#texts.add(this.#name);
    }
    return { kind: "text", name: this.#name, words, codes: this.#codes };
  }

  #asNumbers(words: readonly string[], numbers: readonly (number | undefined)[]): NumberColumn {
    const values = Float64Array.from(this.#codes, (code) => numbers[code] ?? 0);
    return { kind: words.every(isWholeWord) ? "integer" : "real", name: this.#name, values };
  }

  #learn(word: string, place: TrajectoryPlace): number {
    if (!isWord(word)) {
      throw new TrajectoryError(
        "bad-text",
        `column ${this.#name} holds a word that is not printable UTF-8`,
        "the dump is damaged here, or is in another encoding",
        place,
      );
    }
    const code = this.#codeOf.size;
    if (code === MAX_WORDS) {
      const problem = `column ${this.#name} holds more than ${MAX_WORDS} different words`;
      throw new TrajectoryError(
        "too-large",
        problem,
        "name it as LAMMPS does (c_…, f_…, v_…) if they are numbers",
        place,
      );
    }
    this.#codeOf.set(word, code);
    return code;
  }
}
