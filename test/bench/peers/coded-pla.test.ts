import { expect, test } from "vitest";
import { type PieceKind, plaCompressor } from "./coded-pla.ts";
import { peerInput } from "./peer-inputs.ts";
import { type Piece, PieceCoder } from "./pieces.ts";

const GRID = { step: 0.5, origin: 10 };

test("a free piece is a line from grid value to grid value, whatever its span", () => {
  expect(draw("free", [piece(3, 0, 6), piece(0, 6, 6), piece(1, -2, 0)])).toEqual([10, 11, 12, 13, 13, 9, 10]);
});

test("level pieces hold their value, joint ones share their ends", () => {
  expect(draw("level", [piece(1, 2, 2), piece(2, 4, 4)])).toEqual([11, 11, 12, 12, 12]);
  expect(draw("joint", [piece(2, 0, 4), piece(1, 4, 0)])).toEqual([10, 11, 12, 10]);
});

test("one line is one piece, of a few bytes", () => {
  const line = peerInput(
    "line",
    0.1,
    Array.from({ length: 1000 }, (_, t) => 3 * t),
  );
  for (const kind of ["joint", "nearest start", "any start"] as const) {
    expect(bytesOf(kind, Number.POSITIVE_INFINITY, line), kind).toBeLessThan(16);
  }
  expect(bytesOf("level", Number.POSITIVE_INFINITY, line)).toBeGreaterThan(20);
});

test("a piece ends where the cone of slopes is empty", () => {
  // From 0: row 1 allows slopes up to 1, row 2 those from 3/4, row 3 none above 1/3. At row 2 the grid value inside is 2
  const { columns, shape } = peerInput("corner", 1, [0, 0, 2.5, 0]);
  const compressor = plaCompressor({ kind: "nearest start", gridInEps: 1, longest: Number.POSITIVE_INFINITY });
  const [decoded = new Float64Array()] = compressor.decode(compressor.encode(columns, shape), shape);
  const eps = 1 - 1e-7;
  expect([...decoded].map((value) => Math.round(value / eps))).toEqual([0, 1, 2, 0]);
});

test.for(["level", "any start"] as const)("%s: a piece goes on for as many rows as it may, and no further", (kind) => {
  const quiet = peerInput("quiet", 1, new Array<number>(10_000).fill(0));
  const [ten, hundred, all] = [10, 100, Number.POSITIVE_INFINITY].map((longest) => bytesOf(kind, longest, quiet)) as [
    number,
    number,
    number,
  ];
  expect(bytesOf(kind, 10_000, quiet)).toBe(all);
  expect(ten).toBeGreaterThan(2 * hundred);
  expect(hundred).toBeGreaterThan(2 * all);
});

test("a piece of three rows at most ends with the third", () => {
  const { columns, shape } = peerInput(
    "ramp",
    1,
    Array.from({ length: 60 }, (_, t) => 0.37 * t),
  );
  for (const kind of ["level", "nearest start", "any start"] as const) {
    const compressor = plaCompressor({ kind, gridInEps: 1, longest: 3 });
    const [decoded = new Float64Array()] = compressor.decode(compressor.encode(columns, shape), shape);
    const points = [...decoded].map((value) => Number((value / (1 - 1e-7)).toFixed(6)));
    // A line's ends are on the grid; one that had a fourth row would pass the third between
    const ends = points.filter((_, t) => t % 3 !== 1);
    expect(ends.every(Number.isInteger), kind).toBe(true);
    if (kind === "level") expect(points).toEqual(points.map((_, t) => points[t - (t % 3)]));
    expect(new Set(ends).size, kind).toBeGreaterThan(15);
  }
});

function piece(span: number, start: number, end: number): Piece {
  return { span, start, end };
}

/** Encode the pieces, decode them, and give what was drawn. */
function draw(form: "free" | "level" | "joint", pieces: readonly Piece[]): number[] {
  const rows = pieces.reduce((sum, { span }) => sum + span + (form === "joint" ? 0 : 1), form === "joint" ? 1 : 0);
  const waiting = [...pieces];
  const encoder = new PieceCoder(form);
  const finder = {
    find(_from: number, _last: number, out: Piece) {
      Object.assign(out, waiting[0]);
      waiting.shift();
    },
  };
  const encoded = new Float64Array(rows);
  encoder.channel(finder, GRID, encoded);
  const decoded = new Float64Array(rows);
  new PieceCoder(form, encoder.finish()).channel(undefined, GRID, decoded);
  expect(waiting).toEqual([]);
  expect(decoded).toEqual(encoded);
  return [...decoded];
}

function bytesOf(kind: PieceKind, longest: number, { columns, shape }: ReturnType<typeof peerInput>): number {
  return plaCompressor({ kind, gridInEps: 1, longest }).encode(columns, shape).length;
}
