import { describe, expect, test } from "vitest";
import { content, parseGoodDump, seededRandom, writeDump } from "./dump-text.suite.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);
const FRAMES = 6;

/** How programs that write dumps print a number. */
const PRINT = {
  short: (value: number) => String(Number(value.toPrecision(6))),
  fixed: (value: number) => value.toFixed(8),
  long: (value: number) => value.toExponential(18).replace(/e([+-])(\d)$/, "e$10$2"),
  whole: (value: number) => String(Math.round(value)),
} as const;

/** A kind of dump, as one file of it in the wild: its header, its columns, and the oddities of its rows. */
interface DumpKind {
  readonly title: string;
  readonly box: string;
  readonly bounds: readonly string[];
  readonly columns: string;
  readonly print: keyof typeof PRINT;
  /** Rows of each frame, in turn. */
  readonly counts: readonly number[];
  /** In another order in every frame. */
  readonly isShuffled?: boolean;
  readonly idStep?: number;
  readonly gap?: string;
  readonly rowEnd?: string;
  readonly isOpenEnded?: boolean;
  readonly changesBox?: boolean;
}

const CUBE = ["0.0000000000000000e+00 1.6795961913825074e+01", "0.0 16.8", " -2  6"];
const TILT = ["-4.0080511965879438e-02 5.7039029418994556e+00 -5.9179115295410201e-03", "0.0 2.79 1.28", " 0  3  0"];

const KINDS: readonly DumpKind[] = [
  {
    title: "liquid, sorted",
    box: "pp pp pp",
    bounds: CUBE,
    columns: "id type x y z vx vy vz fx fy fz",
    print: "short",
    counts: [40],
  },
  {
    title: "shear, scaled, the tilt changes",
    box: "xy xz yz pp pp pp",
    bounds: TILT,
    columns: "id type xs ys zs ix iy iz vx vy vz",
    print: "short",
    counts: [30],
    isShuffled: true,
    changesBox: true,
  },
  {
    title: "pour, growing from nothing",
    box: "pp pp fm",
    bounds: CUBE,
    columns: "id type diameter x y z vx vy vz omegax omegay omegaz",
    print: "short",
    counts: [0, 12, 25, 25, 38, 0],
  },
  {
    title: "solution, unsorted, images",
    box: "pp pp pp",
    bounds: CUBE,
    columns: "id mol type q x y z ix iy iz",
    print: "short",
    counts: [33],
    isShuffled: true,
  },
  {
    title: "no type",
    box: "pp pp pp",
    bounds: CUBE,
    columns: "id x y z ix iy iz",
    print: "short",
    counts: [20],
    isShuffled: true,
  },
  {
    title: "all four coordinates",
    box: "pp pp pp",
    bounds: CUBE,
    columns: "id type x y z xs ys zs xu yu zu xsu ysu zsu",
    print: "short",
    counts: [15],
    isShuffled: true,
  },
  {
    title: "ids missing, no last line end",
    box: "xy xz yz pp pp pp",
    bounds: TILT,
    columns: "id type xs ys zs",
    print: "short",
    counts: [17, 16],
    idStep: 7,
    isShuffled: true,
    isOpenEnded: true,
  },
  {
    title: "ids repeated",
    box: "pp pp pp",
    bounds: CUBE,
    columns: "id xu yu zu",
    print: "short",
    counts: [9],
    idStep: 0,
  },
  {
    title: "19 digits, blanks behind",
    box: "xy xz yz pp pp pp",
    bounds: TILT,
    columns: "id type xu yu zu",
    print: "long",
    counts: [12],
    rowEnd: "  \n",
  },
  {
    title: "spins, 8 decimals",
    box: "xy xz yz pp pp pp",
    bounds: TILT,
    columns: "id type x y z c_spin[1] c_spin[2] c_spin[10]",
    print: "fixed",
    counts: [10],
  },
  {
    title: "whole coordinates, names of blank columns",
    box: "xy xz yz pp pp pp",
    bounds: TILT,
    columns: "id type xs ys zs fx fy fz ",
    print: "whole",
    counts: [8],
    rowEnd: " \n",
  },
  {
    title: "charges, blanks between",
    box: "pp pp ff",
    bounds: CUBE,
    columns: "id x y z q p",
    print: "short",
    counts: [11],
    gap: "  ",
  },
  {
    title: "no ids, words, carriage returns",
    box: "",
    bounds: CUBE,
    columns: "element x y z label",
    print: "short",
    counts: [14],
    rowEnd: "\r\n",
  },
];

function textOf(kind: DumpKind, random: () => number): string {
  const names = kind.columns.trim().split(" ");
  const uniform = () => random() / 2 ** 32 - 0.5;
  const cell = (name: string, row: number) => {
    if (name === "id") return String(1 + row * (kind.idStep ?? 1));
    if (["type", "mol", "ix", "iy", "iz"].includes(name))
      return String((random() % 5) - (name.startsWith("i") ? 2 : 0));
    if (name === "element" || name === "label") return `${"CHON"[random() % 4]}${name === "label" ? row : ""}`;
    return PRINT[kind.print](uniform() * 10 ** ((random() % 8) - 4));
  };
  const frames = Array.from({ length: FRAMES }, (_, f) => {
    const atoms = kind.counts[f % kind.counts.length] ?? 0;
    const rows = Array.from({ length: atoms }, (_, row) => names.map((name) => cell(name, row)).join(kind.gap ?? " "));
    if (kind.isShuffled) rows.sort(() => (random() % 3) - 1);
    const bounds = kind.changesBox
      ? kind.bounds.map((line, i) => (i === 1 ? `${-f} ${f / 7} ${uniform()}` : line))
      : kind.bounds;
    const lines = [
      "ITEM: TIMESTEP",
      String(20 * f),
      "ITEM: NUMBER OF ATOMS",
      String(atoms),
      `ITEM: BOX BOUNDS ${kind.box}`,
    ];
    return [...lines, ...bounds, `ITEM: ATOMS ${kind.columns}`, ...rows]
      .map((line) => line + (kind.rowEnd ?? "\n"))
      .join("");
  });
  return kind.isOpenEnded ? frames.join("").slice(0, -1) : frames.join("");
}

/** The rows of atoms in a text, read by other means: split and Number. */
function rowsOf(text: string): (string | number)[][] {
  return text
    .split(/(?=ITEM: TIMESTEP)/)
    .flatMap((frame) => frame.split(/\r?\n/).slice(9))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/).map((word) => (Number.isNaN(Number(word)) ? word : Number(word))));
}

describe.each(KINDS)("a dump of the kind: $title", (kind) => {
  const text = textOf(kind, seededRandom(SEED));
  const frames = parseGoodDump(text, 100);

  test("every cell is what split and Number make of it", () => {
    const rows = frames.flatMap(({ atoms, columns }) =>
      Array.from({ length: atoms }, (_, row) =>
        columns.map((column) => (column.kind === "text" ? column.words[column.codes[row] ?? -1] : column.values[row])),
      ),
    );
    expect(frames.length).toBe(FRAMES);
    expect(frames.map(({ atoms }) => atoms)).toEqual(frames.map((_, f) => kind.counts[f % kind.counts.length]));
    expect(rows).toEqual(rowsOf(text));
  });

  test("it is the same when it is written, and read again", () => {
    expect(parseGoodDump(writeDump(frames)).map(content)).toEqual(frames.map(content));
  });
});
