import { BOUNDS_PER_LINE, type Box, type BoxShape } from "./box.ts";
import { TrajectoryError, type TrajectoryPlace } from "./trajectory-error.ts";

/** Everything that precedes the rows of a frame. */
export interface DumpHeader {
  readonly step: bigint;
  readonly time: number | undefined;
  readonly units: string | undefined;
  readonly box: Box;
  readonly atoms: number;
  /** Names of the columns, unique. */
  readonly names: readonly string[];
}

/** What one frame may ask for. */
export interface HeaderLimits {
  readonly maxColumns: number;
  /** Rows times columns. */
  readonly maxCells: number;
}

interface Draft {
  step?: bigint;
  time?: number;
  atoms?: number;
  box?: { readonly shape: BoxShape; readonly boundary: Box["boundary"]; readonly bounds: number[] };
}

const ITEM = "ITEM: ";
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d{1,19}$/;
const BOUNDARY = /^[pfsm]{2}$/;
const NO_DUMP = "give a dump that LAMMPS wrote with `dump … atom` or `dump … custom`";

/** Header lines of one file, in; headers, out. */
export class HeaderReader {
  readonly #limits: HeaderLimits;
  #draft: Draft = {};
  /** Units as last said in this file. */
  #units: string | undefined;
  /** What the next line belongs to; undefined: it must be an item. */
  #open:
    | { readonly item: string; lines: number; readonly take: (line: string, place: TrajectoryPlace) => void }
    | undefined;
  #hasBegun = false;

  constructor(limits: HeaderLimits) {
    this.#limits = limits;
  }

  /** Whether a frame has begun and its rows have not. */
  get isInside(): boolean {
    return this.#hasBegun;
  }

  /**
   * One line.
   *
   * @param line  without its end
   * @returns the header, once `ITEM: ATOMS` completes it
   * @throws {TrajectoryError} `bad-header`, `too-large`
   */
  take(line: string, place: TrajectoryPlace): DumpHeader | undefined {
    const text = line.trim();
    if (this.#open !== undefined) {
      this.#open.take(text, place);
      this.#open.lines--;
      if (this.#open.lines === 0) this.#open = undefined;
      return undefined;
    }
    if (text === "" && !this.#hasBegun) return undefined;
    if (!text.startsWith(ITEM)) throw this.#noItem(text, place);
    this.#hasBegun = true;
    return this.#takeItem(text.slice(ITEM.length).trim(), place);
  }

  #takeItem(item: string, place: TrajectoryPlace): DumpHeader | undefined {
    const draft = this.#draft;
    const [word = "", ...rest] = item.split(/\s+/);
    if (word === "ATOMS") return this.#finish(rest, place);
    if (item === "TIMESTEP") {
      refuseSecond(draft.step, item, place);
      this.#expect(item, 1, (line, at) => {
        draft.step = int64(line, at);
      });
    } else if (item === "NUMBER OF ATOMS") {
      refuseSecond(draft.atoms, item, place);
      this.#expect(item, 1, (line, at) => {
        draft.atoms = atomCount(line, at);
      });
    } else if (item === "TIME") {
      refuseSecond(draft.time, item, place);
      this.#expect(item, 1, (line, at) => {
        draft.time = finite(line, item, at);
      });
    } else if (item === "UNITS") {
      this.#expect(item, 1, (line, at) => {
        if (!/^\S+$/.test(line)) throw bad(`"${shown(line)}" is no unit style`, "one word belongs there", at);
        this.#units = line;
      });
    } else if (item.startsWith("BOX BOUNDS")) {
      refuseSecond(draft.box, "BOX BOUNDS", place);
      const box = boxForm(rest.slice(1), place);
      draft.box = box;
      this.#expect("BOX BOUNDS", 3, (line, at) => takeBounds(box.shape, box.bounds, line, at));
    } else {
      throw bad(`"ITEM: ${shown(item)}" is not an item of an atom dump`, NO_DUMP, place);
    }
    return undefined;
  }

  #expect(item: string, lines: number, take: (line: string, place: TrajectoryPlace) => void): void {
    this.#open = { item, lines, take };
  }

  #finish(names: readonly string[], place: TrajectoryPlace): DumpHeader {
    const { step, time, atoms, box } = this.#draft;
    if (step === undefined) throw missing("TIMESTEP", place);
    if (atoms === undefined) throw missing("NUMBER OF ATOMS", place);
    if (box === undefined) throw missing("BOX BOUNDS", place);
    this.#checkNames(names, atoms, place);
    this.#draft = {};
    this.#hasBegun = false;
    return { step, time, units: this.#units, box, atoms, names };
  }

  #checkNames(names: readonly string[], atoms: number, place: TrajectoryPlace): void {
    const { maxColumns, maxCells } = this.#limits;
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    if (names.length === 0) {
      throw bad("the columns have no names", "write the dump with a LAMMPS that names them behind ITEM: ATOMS", place);
    }
    if (names.length > maxColumns) {
      throw tooLarge(`${names.length} columns, ${maxColumns} are the limit`, "dump fewer columns", place);
    }
    if (repeated !== undefined) throw bad(`two columns are called "${repeated}"`, "dump each column once", place);
    if (atoms * names.length > maxCells) {
      const problem = `${atoms} atoms of ${names.length} columns are over the limit of ${maxCells} cells in a frame`;
      throw tooLarge(problem, "mend the number of atoms if it is wrong, or raise maxCells", place);
    }
  }

  #noItem(text: string, place: TrajectoryPlace): TrajectoryError {
    if (this.#hasBegun)
      return bad(`"${shown(text)}" stands where an "ITEM: …" belongs`, "the header is damaged", place);
    return bad(
      `"${shown(text)}" stands where a frame must begin with "ITEM: …"`,
      `the frame before has more rows than its ITEM: NUMBER OF ATOMS says, or this is no dump: ${NO_DUMP}`,
      place,
    );
  }
}

function boxForm(words: readonly string[], place: TrajectoryPlace): NonNullable<Draft["box"]> {
  const [shape, rest] = boxShape(words);
  const [x, y, z] = rest;
  if (rest.length === 0) return { shape, boundary: undefined, bounds: [] };
  if (rest.length !== 3 || x === undefined || y === undefined || z === undefined || !rest.every(isBoundary)) {
    const remedy = 'LAMMPS writes it as "pp pp pp", "xy xz yz pp pp pp" or "abc origin pp pp pp"';
    throw bad(`"${shown(words.join(" "))}" is no kind of box`, remedy, place);
  }
  return { shape, boundary: [x, y, z], bounds: [] };
}

function boxShape(words: readonly string[]): [BoxShape, readonly string[]] {
  if (words[0] === "xy" && words[1] === "xz" && words[2] === "yz") return ["triclinic", words.slice(3)];
  if (words[0] === "abc" && words[1] === "origin") return ["general", words.slice(2)];
  return ["orthogonal", words];
}

function isBoundary(word: string): boolean {
  return BOUNDARY.test(word);
}

function takeBounds(shape: BoxShape, bounds: number[], line: string, place: TrajectoryPlace): void {
  const numbers = line.split(/\s+/).map((word) => finite(word, "BOX BOUNDS", place));
  const need = BOUNDS_PER_LINE[shape];
  if (numbers.length !== need) {
    throw bad(`a line of the box has ${numbers.length} numbers`, `an ${shape} box has ${need} in each`, place);
  }
  const [low = 0, high = 0] = numbers;
  if (shape !== "general" && low > high) {
    throw bad(`the box ends at ${high}, before it begins at ${low}`, "the header is damaged", place);
  }
  bounds.push(...numbers);
}

function int64(text: string, place: TrajectoryPlace): bigint {
  const value = WHOLE.test(text) ? BigInt(text.replace(/^\+/, "")) : undefined;
  if (value === undefined || BigInt.asIntN(64, value) !== value) {
    throw bad(`"${shown(text)}" is no timestep`, "a whole number of 64 bits belongs there", place);
  }
  return value;
}

function atomCount(text: string, place: TrajectoryPlace): number {
  const count = /^\d+$/.test(text) ? Number(text) : -1;
  if (!Number.isSafeInteger(count) || count < 0) {
    throw bad(`"${shown(text)}" is no number of atoms`, "a whole number from 0 on belongs there", place);
  }
  return count;
}

function finite(text: string, item: string, place: TrajectoryPlace): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw bad(`"${shown(text)}" under ITEM: ${item} is no finite number`, "the header is damaged", place);
  }
  return value;
}

function refuseSecond(value: unknown, item: string, place: TrajectoryPlace): void {
  if (value === undefined) return;
  throw bad(`a second ITEM: ${item} before ITEM: ATOMS`, "the frame before was cut: remove what is left of it", place);
}

function missing(item: string, place: TrajectoryPlace): TrajectoryError {
  return bad(`the frame has no ITEM: ${item}`, "the header is damaged, or not one of LAMMPS", place);
}

function bad(problem: string, remedy: string, place: TrajectoryPlace): TrajectoryError {
  return new TrajectoryError("bad-header", problem, remedy, place);
}

function tooLarge(problem: string, remedy: string, place: TrajectoryPlace): TrajectoryError {
  return new TrajectoryError("too-large", problem, remedy, place);
}

/** The start of what may be long or unprintable. */
function shown(text: string): string {
  const start = text.slice(0, 40).replace(/[^\x20-\x7e]/g, "?");
  return text.length > 40 ? `${start}…` : start;
}
