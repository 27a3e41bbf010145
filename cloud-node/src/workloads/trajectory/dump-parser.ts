import type { ColumnRoom } from "./column-arena.ts";
import { type DumpHeader, HeaderReader } from "./dump-header.ts";
import type { FrameSource, TrajectoryFrame } from "./frame.ts";
import { FrameColumns, type FrameMemory } from "./frame-columns.ts";
import type { RowKernel, TakenRows } from "./row-kernel.ts";
import { TrajectoryError, type TrajectoryErrorCode } from "./trajectory-error.ts";

/** Cells (rows times columns) that a frame may ask for: 2 GiB of doubles. */
export const DEFAULT_MAX_CELLS = 1 << 28;

const LINE_FEED = 0x0a;
const ITEM = "ITEM:";
const DECODER = new TextDecoder("utf-8", { fatal: true });

interface OpenFrame {
  readonly header: DumpHeader;
  readonly columns: FrameColumns;
}

/**
 * The text of one dump file in, in pieces of any size; its frames out.
 *
 * Memory: one frame, and a block of text of fixed size. A frame is given out only once it is whole.
 */
export class DumpParser {
  readonly #file: string;
  readonly #kernel: RowKernel;
  readonly #header: HeaderReader;
  readonly #memory: FrameMemory;
  /** What is not yet taken lies at [start, end) of the kernel's text. */
  #start = 0;
  #end = 0;
  /** Offset in the file of the text's first byte; line of what is at `start`. */
  #base = 0;
  #line = 1;
  #frame: OpenFrame | undefined;
  #frameByte = 0;
  #frameLine = 1;
  #frames = 0;
  #isOpenEnded = false;

  /**
   * @param file    its name in messages
   * @param kernel  in use by this parser alone until `finish`
   * @param room    where columns are taken from
   */
  constructor(file: string, kernel: RowKernel, maxCells: number, room: ColumnRoom) {
    this.#file = file;
    this.#memory = { texts: new Set(), rows: 0, room };
    this.#kernel = kernel;
    this.#header = new HeaderReader({ maxColumns: kernel.maxColumns, maxCells });
  }

  /**
   * The next piece.
   *
   * @throws {TrajectoryError} `bad-header`, `bad-row`, `bad-number`, `bad-id`, `bad-text`, `too-large`: at the first
   *   line that is wrong, after every frame before it
   */
  *push(bytes: Uint8Array): Generator<TrajectoryFrame> {
    for (let offset = 0; offset < bytes.length; ) {
      this.#compact();
      const count = Math.min(bytes.length - offset, this.#kernel.textBytes - this.#end);
      this.#kernel.text.set(bytes.subarray(offset, offset + count), this.#end);
      this.#end += count;
      offset += count;
      yield* this.#drain();
      if (this.#end - this.#start === this.#kernel.textBytes) throw this.#lineTooLong();
    }
  }

  /**
   * That was all.
   *
   * @throws {TrajectoryError} as `push`; `truncated` when the text ends inside a frame, `no-frame` when there was none
   */
  *finish(): Generator<TrajectoryFrame> {
    if (this.#end > this.#start) {
      this.#isOpenEnded = true;
      this.#compact();
      this.#kernel.text[this.#end] = LINE_FEED;
      this.#end++;
      if (this.#frame === undefined && this.#isHeaderCut()) throw this.#truncated();
      yield* this.#drainTail();
    }
    if (this.#frame !== undefined || this.#header.isInside) throw this.#truncated();
    if (this.#frames === 0) {
      throw this.#error("no-frame", "there is no frame in it", "give a dump that LAMMPS wrote", this.#start);
    }
  }

  /** What went wrong with the bytes behind those pushed so far, with its place in the text. */
  locate({ code, problem, remedy, cause }: TrajectoryError): TrajectoryError {
    const found = `${problem}, after ${this.#frames} whole frames`;
    return new TrajectoryError(code, found, remedy, this.#placeOf(this.#end), { cause });
  }

  /** The last line has no end: what is wrong with it is that it was cut. */
  *#drainTail(): Generator<TrajectoryFrame> {
    try {
      yield* this.#drain();
    } catch (error) {
      const isLastLine = this.#kernel.text.indexOf(LINE_FEED, this.#start) === this.#end - 1;
      if (!(error instanceof TrajectoryError && this.#frame !== undefined && isLastLine)) throw error;
      throw this.#truncated(error);
    }
  }

  /** Without its end, no line of a header can be trusted. */
  #isHeaderCut(): boolean {
    if (this.#header.isInside) return true;
    this.#beginFrame();
    const line = this.#kernel.text.toString("latin1", this.#start, this.#end).trim();
    return line.startsWith(ITEM) || (line !== "" && ITEM.startsWith(line));
  }

  #beginFrame(): void {
    this.#frameByte = this.#base + this.#start;
    this.#frameLine = this.#line;
  }

  *#drain(): Generator<TrajectoryFrame> {
    while (this.#start < this.#end) {
      const isProgress = this.#frame === undefined ? this.#takeHeaderLine() : this.#takeRows(this.#frame);
      if (!isProgress) return;
      if (this.#frame?.columns.missing === 0) yield this.#finishFrame(this.#frame);
    }
  }

  #takeHeaderLine(): boolean {
    const { text } = this.#kernel;
    const lineEnd = text.indexOf(LINE_FEED, this.#start);
    if (lineEnd === -1 || lineEnd >= this.#end) return false;
    if (!this.#header.isInside) this.#beginFrame();
    const header = this.#header.take(this.#decode(this.#start, lineEnd), this.#placeOf(this.#start));
    this.#start = lineEnd + 1;
    this.#line++;
    if (header !== undefined) {
      this.#frame = { header, columns: new FrameColumns(this.#kernel, header.names, header.atoms, this.#memory) };
    }
    return true;
  }

  #takeRows({ columns, header }: OpenFrame): boolean {
    const lastEnd = this.#kernel.text.lastIndexOf(LINE_FEED, this.#end - 1);
    if (lastEnd < this.#start) return false;
    const taken = this.#kernel.take(this.#start, lastEnd + 1, columns.missing);
    columns.addTile(taken.rows, (row, offset) => ({ ...this.#placeOf(offset), line: this.#line + row }));
    this.#start = taken.end;
    this.#line += taken.rows;
    if (taken.problem !== undefined) throw this.#badRow(taken.problem, header, columns.missing);
    return true;
  }

  #finishFrame({ header, columns: growing }: OpenFrame): TrajectoryFrame {
    const columns = growing.finish();
    const ids = this.#idsOf(columns);
    const byte = this.#frameByte;
    const end = this.#base + this.#start;
    const isOpenEnded = this.#isOpenEnded && this.#start === this.#end;
    const source: FrameSource = {
      file: this.#file,
      line: this.#frameLine,
      byte,
      bytes: end - byte - (isOpenEnded ? 1 : 0),
      isOpenEnded,
    };
    this.#frame = undefined;
    this.#frames++;
    const { step, time, units, box, atoms } = header;
    return { step, time, units, box, atoms, ids, columns, source };
  }

  #idsOf(columns: TrajectoryFrame["columns"]): TrajectoryFrame["ids"] {
    const column = columns.find(({ name }) => name === "id");
    if (column === undefined || column.kind === "text") return undefined;
    if (column.kind === "real" || hasNegative(column.values)) {
      const problem = `an id of the frame at line ${this.#frameLine} is no whole number from 0 to 2^53 - 1`;
      throw this.#error("bad-id", problem, "ids tell atoms apart: mend the column, or dump without it", this.#start);
    }
    return column.values;
  }

  #badRow(problem: NonNullable<TakenRows["problem"]>, { names, atoms }: DumpHeader, missing: number): TrajectoryError {
    const { kind, column, at } = problem;
    const { text } = this.#kernel;
    if (text.toString("latin1", this.#start, this.#start + ITEM.length) === ITEM) {
      const found = `the frame has ${atoms - missing} of its ${atoms} rows`;
      return this.#error("truncated", found, `remove it: lines ${this.#frameLine} to ${this.#line - 1}`, this.#start);
    }
    if (kind === "not-a-number") {
      const cell = /^\S{1,30}/.exec(text.toString("latin1", at, at + 30))?.[0].replace(/[^\x20-\x7e]/g, "?");
      return this.#error("bad-number", `"${cell}" in column ${names[column]} is no number`, "mend the cell", at);
    }
    const found = kind === "row-short" ? `the row has ${column} cells` : "the row has more cells";
    const remedy = `${names.length} columns are named in ITEM: ATOMS: remove the frame, or mend the row`;
    return this.#error("bad-row", found, remedy, this.#start);
  }

  #truncated(cause?: TrajectoryError): TrajectoryError {
    const rows = this.#frame === undefined ? "in its header" : `with ${this.#frame.columns.missing} rows missing`;
    const end = this.#isOpenEnded ? this.#end - 1 : this.#end;
    return new TrajectoryError(
      "truncated",
      `the text ends inside the frame that begins at line ${this.#frameLine}, byte ${this.#frameByte}, ${rows}`,
      `the ${this.#frames} frames before it are whole: keep them, or copy the file again`,
      { file: this.#file, line: this.#line, byte: this.#base + end },
      { cause },
    );
  }

  #lineTooLong(): TrajectoryError {
    const problem = `a line is longer than ${this.#kernel.textBytes} bytes`;
    return this.#error("too-large", problem, "no line of a dump is: this is something else", this.#start);
  }

  #decode(start: number, end: number): string {
    try {
      return DECODER.decode(this.#kernel.text.subarray(start, end));
    } catch (cause) {
      const remedy = "the dump is damaged here, is in another encoding, or is none";
      throw new TrajectoryError("bad-text", "the line is not UTF-8", remedy, this.#placeOf(start), { cause });
    }
  }

  /** Move what is left to the front. */
  #compact(): void {
    if (this.#start === 0) return;
    this.#kernel.text.copyWithin(0, this.#start, this.#end);
    this.#base += this.#start;
    this.#end -= this.#start;
    this.#start = 0;
  }

  #placeOf(at: number): { file: string; line: number; byte: number } {
    return { file: this.#file, line: this.#line, byte: this.#base + at };
  }

  #error(code: TrajectoryErrorCode, problem: string, remedy: string, at: number): TrajectoryError {
    return new TrajectoryError(code, problem, remedy, this.#placeOf(at));
  }
}

/** A loop, as a callback for every id of every frame takes its time. */
function hasNegative(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) {
    if ((values[i] ?? 0) < 0) return true;
  }
  return false;
}
