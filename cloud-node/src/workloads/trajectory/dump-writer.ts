import { BOUNDS_PER_LINE, type Box } from "./box.ts";
import { isWord } from "./column-names.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { boxText, NUMBER_BYTES, realText, writeInteger, writeReal } from "./number-text.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** Text given out at a time; a longer row makes it longer. */
const CHUNK_BYTES = 1 << 18;
const BLANK = 0x20;
const LINE_FEED = 0x0a;

/** Writes one cell of a column. @returns behind it */
type CellWriter = (row: number, out: Uint8Array, at: number) => number;

/**
 * Frames in, the text of a dump out, as LAMMPS writes it: its `read_dump`, `rerun` and every other reader of dumps takes
 * it. What a dump that LAMMPS wrote by its default formats held comes out byte for byte; any other number comes out as
 * the shortest text that gives back its double.
 */
export class DumpWriter {
  /** Units are said where they change, as LAMMPS does. */
  #units: string | undefined;

  /**
   * One frame, in chunks of a fixed size that the caller owns.
   *
   * @throws {TrajectoryError} `bad-frame` for a frame that no dump can hold; nothing of it has been given out
   */
  *write(frame: TrajectoryFrame): Generator<Buffer<ArrayBuffer>> {
    checkFrame(frame);
    const head = Buffer.from(this.#head(frame));
    this.#units = frame.units;
    const cells = frame.columns.map(cellWriter);
    const rowBytes = frame.columns.reduce((sum, column) => sum + widthOf(column), 1);
    const size = Math.max(CHUNK_BYTES, head.length + rowBytes);
    let out = Buffer.allocUnsafeSlow(size);
    let at = head.copy(out);
    for (let row = 0; row < frame.atoms; row++) {
      if (at + rowBytes > size) {
        yield out.subarray(0, at);
        out = Buffer.allocUnsafeSlow(size);
        at = 0;
      }
      for (const write of cells) {
        at = write(row, out, at);
        out[at] = BLANK;
        at++;
      }
      out[at - 1] = LINE_FEED;
    }
    yield out.subarray(0, at);
  }

  #head({ step, time, units, box, atoms, columns }: TrajectoryFrame): string {
    const lines = [
      ...(units === undefined || units === this.#units ? [] : ["ITEM: UNITS", units]),
      ...(time === undefined ? [] : ["ITEM: TIME", realText(time)]),
      "ITEM: TIMESTEP",
      String(step),
      "ITEM: NUMBER OF ATOMS",
      String(atoms),
      ...boxLines(box),
      ["ITEM: ATOMS", ...columns.map(({ name }) => name)].join(" "),
    ];
    return `${lines.join("\n")}\n`;
  }
}

const BOX_FORMS = { orthogonal: [], triclinic: ["xy xz yz"], general: ["abc origin"] } as const;

function boxLines({ shape, boundary, bounds }: Box): string[] {
  const perLine = BOUNDS_PER_LINE[shape];
  const rows = [0, 1, 2].map((line) => bounds.slice(line * perLine, (line + 1) * perLine).map(boxText));
  const title = ["ITEM: BOX BOUNDS", ...BOX_FORMS[shape], ...(boundary ?? [])].join(" ");
  return [title, ...rows.map((row) => row.join(" "))];
}

function cellWriter(column: Column): CellWriter {
  if (column.kind === "text") {
    const words = column.words.map((word) => Buffer.from(word));
    return (row, out, at) => {
      const word = words[column.codes[row] ?? 0];
      if (word === undefined) return at;
      out.set(word, at);
      return at + word.length;
    };
  }
  const { kind, values } = column;
  const write = kind === "integer" ? writeInteger : writeReal;
  return (row, out, at) => write(values[row] ?? 0, out, at);
}

/** Bytes of a cell at most, with the blank behind it. */
function widthOf(column: Column): number {
  if (column.kind !== "text") return NUMBER_BYTES + 1;
  return column.words.reduce((most, word) => Math.max(most, Buffer.byteLength(word)), 0) + 1;
}

function checkFrame({ step, time, units, box, atoms, columns }: TrajectoryFrame): void {
  const names = columns.map(({ name }) => name);
  const wordless = [...names, ...(units === undefined ? [] : [units])].find((word) => !isWord(word));
  if (BigInt.asIntN(64, step) !== step) throw bad(`step ${step} is over 64 bits`);
  if (time !== undefined && !Number.isFinite(time)) throw bad(`its time is ${time}`);
  if (columns.length === 0) throw bad("it has no columns");
  if (new Set(names).size !== names.length) throw bad(`two columns of ${names.join(" ")} are called the same`);
  if (wordless !== undefined) throw bad(`"${wordless}" is no word`);
  if (box.bounds.length !== 3 * BOUNDS_PER_LINE[box.shape] || !box.bounds.every(Number.isFinite)) {
    throw bad(`its box is not ${3 * BOUNDS_PER_LINE[box.shape]} finite numbers`);
  }
  if (box.boundary?.some((word) => !/^[pfsm]{2}$/.test(word))) throw bad(`its boundary is ${box.boundary.join(" ")}`);
  for (const column of columns) checkColumn(column, atoms);
}

function checkColumn(column: Column, atoms: number): void {
  const { length } = column.kind === "text" ? column.codes : column.values;
  if (length !== atoms) throw bad(`column ${column.name} has ${length} rows, not ${atoms}`);
  if (column.kind !== "text") return;
  const wordless = column.words.find((word) => !isWord(word));
  if (wordless !== undefined) throw bad(`column ${column.name} holds "${wordless}", which is no word`);
  if (column.codes.some((code) => code >= column.words.length))
    throw bad(`column ${column.name} has a code of no word`);
}

function bad(problem: string): TrajectoryError {
  return new TrajectoryError("bad-frame", `the frame cannot be written as a dump: ${problem}`, "mend the frame");
}
