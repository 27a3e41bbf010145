import { readFileSync } from "node:fs";
import { InvariantError } from "../../invariant-error.ts";

/** Why a row was not taken. */
export type RowProblem = "row-short" | "row-long" | "not-a-number";

/** What one call took. */
export interface TakenRows {
  readonly rows: number;
  /** Offset behind them in the text. */
  readonly end: number;
  /** Set where the row after them is bad, and stays in the text. */
  readonly problem: { readonly kind: RowProblem; readonly column: number; readonly at: number } | undefined;
}

interface KernelCalls {
  readonly memory: WebAssembly.Memory;
  tileRows(columns: number): number;
  parseRows(start: number, end: number, columns: number, maxRows: number): number;
}

/**
 * `dump-rows.wasm`: text of rows in, columns of doubles out, a tile at a time. Its memory is fixed; every view stays
 * good, and what is in it is good until the next call.
 */
export class RowKernel {
  /** Bytes of `text` that may be used: the longest line, its end included. */
  readonly textBytes: number;
  readonly maxColumns: number;
  /** The caller writes whole lines here; a few bytes more than `textBytes`, for a line end that the input lacks. */
  readonly text: Buffer;
  readonly #calls: KernelCalls;
  readonly #values: Float64Array<ArrayBuffer>;
  readonly #spans: Uint32Array<ArrayBuffer>;
  readonly #held: Uint32Array<ArrayBuffer>;
  readonly #isText: Uint8Array;
  readonly #notWhole: Uint8Array;
  readonly #problems: readonly (RowProblem | undefined)[];
  readonly #results: readonly WebAssembly.Global[];
  #columns = 1;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module);
    this.#calls = exports as unknown as KernelCalls;
    const global = (name: string) => {
      const found = exports[name];
      if (found instanceof WebAssembly.Global) return found;
      throw new InvariantError(`dump-rows.wasm has no global ${name}`);
    };
    const constant = (name: string) => global(name).value as number;
    const memory = this.#calls.memory.buffer as ArrayBuffer;
    this.textBytes = constant("TEXT_BYTES");
    this.maxColumns = constant("MAX_COLUMNS");
    this.text = Buffer.from(memory, constant("TEXT"), this.textBytes + 1);
    const tile = constant("TILE");
    const tileCells = constant("TILE_CELLS");
    this.#values = new Float64Array(memory, tile, tileCells);
    this.#spans = new Uint32Array(memory, tile, tileCells * 2);
    this.#held = new Uint32Array(memory, constant("HELD"), constant("MAX_HELD") * 4);
    this.#isText = new Uint8Array(memory, constant("IS_TEXT"), this.maxColumns);
    this.#notWhole = new Uint8Array(memory, constant("NOT_WHOLE"), this.maxColumns);
    this.#problems = problemTable(constant);
    this.#results = ["taken", "held", "problem", "problemColumn", "problemAt"].map(global);
    writeFives(new BigUint64Array(memory, constant("FIVES_TABLE")), constant("FIRST_POWER"), constant("LAST_POWER"));
  }

  /** Say what the rows of the next frame hold: for every column, whether its cells are words. */
  beginFrame(isText: readonly boolean[]): void {
    this.#columns = isText.length;
    isText.forEach((value, column) => {
      this.#isText[column] = value ? 1 : 0;
    });
    this.#notWhole.fill(0, 0, isText.length);
  }

  /**
   * Take up to `maxRows` rows from the text, and up to a tile.
   *
   * @param start  offset in `text`
   * @param end    offset behind a line feed
   */
  take(start: number, end: number, maxRows: number): TakenRows {
    const limit = Math.min(maxRows, this.#calls.tileRows(this.#columns));
    const rows = this.#calls.parseRows(start, end, this.#columns, limit);
    const [taken = 0, held = 0, problem = 0, column = 0, at = 0] = this.#results.map(({ value }) => value as number);
    this.#settle(held);
    const kind = this.#problems[problem];
    return { rows, end: taken, problem: kind && { kind, column, at } };
  }

  /** Values of a column of the last tile. */
  values(column: number, rows: number): Float64Array<ArrayBuffer> {
    const start = column * this.#calls.tileRows(this.#columns);
    return this.#values.subarray(start, start + rows);
  }

  /** Where the words of a column of the last tile lie in `text`: (offset, length) of every row. */
  spans(column: number, rows: number): Uint32Array<ArrayBuffer> {
    const start = 2 * column * this.#calls.tileRows(this.#columns);
    return this.#spans.subarray(start, start + 2 * rows);
  }

  /** Whether every cell of a column so far in this frame was written as a whole number that a double holds. */
  isWhole(column: number): boolean {
    return this.#notWhole[column] === 0;
  }

  /** Fill in the numbers that the kernel left to slower means. */
  #settle(held: number): void {
    const stride = this.#calls.tileRows(this.#columns);
    for (let i = 0; i < 4 * held; i += 4) {
      const [column = 0, row = 0, offset = 0, length = 0] = this.#held.subarray(i, i + 4);
      const value = Number(this.text.toString("latin1", offset, offset + length));
      this.#values[column * stride + row] = value;
      if (!Number.isSafeInteger(value)) this.#notWhole[column] = 1;
    }
  }
}

/**
 * Load the kernel that this package was built with; a reader needs one of its own.
 *
 * @throws {InvariantError} where the package was not built
 */
export function loadRowKernel(): RowKernel {
  try {
    return new RowKernel(
      new WebAssembly.Module(readFileSync(new URL("../../../build/dump-rows.wasm", import.meta.url))),
    );
  } catch (cause) {
    throw new InvariantError("build/dump-rows.wasm does not load: run `npm run build`", { cause });
  }
}

function problemTable(constant: (name: string) => number): readonly (RowProblem | undefined)[] {
  const table: (RowProblem | undefined)[] = [];
  table[constant("ROW_SHORT")] = "row-short";
  table[constant("ROW_LONG")] = "row-long";
  table[constant("NOT_A_NUMBER")] = "not-a-number";
  return table;
}

/** Down to here 1 / 5^-power is rounded up, so that exact quotients are seen as such; @see `decimal-rounding.ts`. */
const SMALLEST_ROUNDED_UP = -27;

/** The first 128 bits of every 5^power. */
function writeFives(table: BigUint64Array, first: number, last: number): void {
  for (let power = first; power <= last; power++) {
    const bits = power < 0 ? reciprocalBits(5n ** BigInt(-power)) : leadingBits(5n ** BigInt(power));
    const rounded = power < 0 && power >= SMALLEST_ROUNDED_UP ? bits + 1n : bits;
    table[2 * (power - first)] = rounded >> 64n;
    table[2 * (power - first) + 1] = rounded & 0xffff_ffff_ffff_ffffn;
  }
}

/** @param value  1 … */
function leadingBits(value: bigint): bigint {
  const excess = BigInt(value.toString(2).length - 128);
  return excess > 0n ? value >> excess : value << -excess;
}

/** @param value  no power of two, so that the quotient has 128 bits */
function reciprocalBits(value: bigint): bigint {
  return (1n << BigInt(value.toString(2).length + 127)) / value;
}
