import { innerBound } from "./grid.ts";
import type { Compressor, Peer, SignalShape } from "./peer.ts";
import { type Piece, PieceCoder, type PieceFinder, type PieceForm } from "./pieces.ts";

/** How the first value of a piece is chosen; a joint piece has none to choose. */
export type PieceKind = "joint" | "level" | "nearest start" | "any start";

const KINDS: readonly PieceKind[] = ["joint", "level", "nearest start", "any start"];
/** Grid steps, in eps. At 2 every interval still holds a grid value; the decimals keep it so in float64. */
const GRIDS = [0.25, 0.5, 1, 1.5, 1.9999];

/**
 * Piecewise-linear approximation whose spans and grid values go through an adaptive binary arithmetic coder: every kind
 * of piece on every grid, the best of all for each recording.
 *
 * @param longest  rows that a piece may span at most, which is how far the encoder looks ahead
 * @see Elmeleegy et al. 2009, "Online piece-wise linear approximation of numerical streams with precision guarantees"
 *   (swing: joint pieces; slide: disjoint ones); Lazaridis, Mehrotra 2003 (PMC: levels); Kitsios et al. 2023 (Sim-Piece:
 *   starts on a grid)
 */
export function codedPla(name: string, longest = Number.POSITIVE_INFINITY): Peer {
  const compressors = KINDS.flatMap((kind) => GRIDS.map((gridInEps) => plaCompressor({ kind, gridInEps, longest })));
  return { name, hasLookahead: true, compressors };
}

/** The one setting that is best on most recordings. */
export function codedPlaFixed(name: string): Peer {
  const setting = { kind: "any start", gridInEps: 1, longest: Number.POSITIVE_INFINITY } as const;
  return { name, hasLookahead: true, compressors: [plaCompressor(setting)] };
}

/** What Bristol's swinging door becomes when its points are coded as well as anything: joint pieces on a grid. */
export function codedSwingingDoor(name: string): Peer {
  const longest = Number.POSITIVE_INFINITY;
  const compressors = GRIDS.map((gridInEps) => plaCompressor({ kind: "joint", gridInEps, longest }));
  return { name, hasLookahead: true, compressors };
}

/** One kind of piece on one grid. */
export interface PlaSetting {
  readonly kind: PieceKind;
  readonly gridInEps: number;
  readonly longest: number;
}

export function plaCompressor({ kind, gridInEps, longest }: PlaSetting): Compressor {
  const form: PieceForm = kind === "joint" || kind === "level" ? kind : "free";
  return piecesCompressor(`${kind}, grid ${gridInEps} eps`, form, gridInEps, (values, grid) => {
    if (kind === "level") return new LevelFinder(values, grid, longest);
    return new LineFinder(values, grid, longest, kind);
  });
}

/** The values of a channel's grid, and how far a value may be off. */
export interface PieceGrid {
  readonly step: number;
  readonly origin: number;
  readonly bound: number;
}

/** All channels through one `PieceCoder`, with a finder for each. */
export function piecesCompressor(
  setting: string,
  form: PieceForm,
  gridInEps: number,
  createFinder: (values: Float64Array, grid: PieceGrid) => PieceFinder,
): Compressor {
  const gridOf = ({ eps, origins }: SignalShape, c: number): PieceGrid => {
    const bound = innerBound(eps[c] ?? 0);
    return { step: gridInEps * bound, origin: origins[c] ?? 0, bound };
  };
  return {
    setting,
    encode(columns, shape) {
      const coder = new PieceCoder(form);
      const out = new Float64Array(shape.rows);
      columns.forEach((values, c) => {
        const grid = gridOf(shape, c);
        coder.channel(createFinder(values, grid), grid, out);
      });
      return coder.finish();
    },
    decode(bytes, shape) {
      const coder = new PieceCoder(form, bytes);
      return shape.eps.map((_, c) => {
        const out = new Float64Array(shape.rows);
        coder.channel(undefined, gridOf(shape, c), out);
        return out;
      });
    },
  };
}

/** The longest run that one grid value is close enough to all of. */
class LevelFinder implements PieceFinder {
  readonly #values: Float64Array;
  readonly #grid: PieceGrid;
  readonly #longest: number;

  constructor(values: Float64Array, grid: PieceGrid, longest: number) {
    this.#values = values;
    this.#grid = grid;
    this.#longest = longest;
  }

  find(from: number, _last: number, piece: Piece): void {
    const { step, origin, bound } = this.#grid;
    const values = this.#values;
    let low = Number.NEGATIVE_INFINITY;
    let high = Number.POSITIVE_INFINITY;
    let to = from;
    for (; to < values.length && to - from < this.#longest; to++) {
      const value = (values[to] as number) - origin;
      const lower = Math.max(low, value - bound);
      const upper = Math.min(high, value + bound);
      if (Math.ceil(lower / step) > Math.floor(upper / step)) break;
      low = lower;
      high = upper;
    }
    piece.span = to - from - 1;
    piece.start = middleOf(low / step, high / step);
    piece.end = piece.start;
  }
}

/**
 * The longest line from a grid value to a grid value: the cone of slopes that stay within the bound is narrowed sample by
 * sample until it is empty; the line ends at the last sample where the cone held a grid value.
 */
class LineFinder implements PieceFinder {
  readonly #values: Float64Array;
  readonly #grid: PieceGrid;
  readonly #longest: number;
  readonly #kind: PieceKind;
  /** Where the cone from the last start reached to, and with which value. */
  #reach = 0;
  #end = 0;

  constructor(values: Float64Array, grid: PieceGrid, longest: number, kind: PieceKind) {
    this.#values = values;
    this.#grid = grid;
    this.#longest = longest;
    this.#kind = kind;
  }

  find(from: number, last: number, piece: Piece): void {
    const { step, origin, bound } = this.#grid;
    const value = (this.#values[from] as number) - origin;
    const lowest = Math.ceil((value - bound) / step);
    const highest = Math.floor((value + bound) / step);
    const nearest = Math.min(Math.max(Math.round(value / step), lowest), highest);
    if (this.#kind !== "any start") {
      const start = this.#kind === "joint" && from > 0 ? last : nearest;
      this.#extend(from, start);
      setPiece(piece, this.#reach - from, start, this.#end);
      return;
    }
    let best = -1;
    for (let start = lowest; start <= highest; start++) {
      this.#extend(from, start);
      const span = this.#reach - from;
      if (span < best || (span === best && Math.abs(start - last) >= Math.abs(piece.start - last))) continue;
      best = span;
      setPiece(piece, span, start, this.#end);
    }
  }

  #extend(from: number, start: number): void {
    const { step, origin, bound } = this.#grid;
    const values = this.#values;
    const base = start * step;
    const limit = Math.min(values.length - 1, from + this.#longest - 1);
    let steepest = Number.POSITIVE_INFINITY;
    let flattest = Number.NEGATIVE_INFINITY;
    this.#reach = from;
    this.#end = start;
    for (let to = from + 1; to <= limit; to++) {
      const span = to - from;
      const rise = (values[to] as number) - origin - base;
      const upper = (rise + bound) / span;
      const lower = (rise - bound) / span;
      if (upper < steepest) steepest = upper;
      if (lower > flattest) flattest = lower;
      if (flattest > steepest) return;
      const low = (base + flattest * span) / step;
      const high = (base + steepest * span) / step;
      if (Math.ceil(low) > Math.floor(high)) continue;
      this.#reach = to;
      this.#end = middleOf(low, high);
    }
  }
}

function setPiece(piece: Piece, span: number, start: number, end: number): void {
  piece.span = span;
  piece.start = start;
  piece.end = end;
}

/** The integer nearest the middle of an interval that holds one. */
function middleOf(low: number, high: number): number {
  return Math.min(Math.max(Math.round((low + high) / 2), Math.ceil(low)), Math.floor(high));
}
