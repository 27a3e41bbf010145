import { AdaptiveCoder } from "./adaptive-coder.ts";
import { CONTEXTS, codeSigned, codeUnsigned } from "./adaptive-integers.ts";

/** A straight piece of a channel, its values counted in steps of the grid. */
export interface Piece {
  /** Rows from its first to its last sample, >= 0. */
  span: number;
  start: number;
  end: number;
}

/**
 * How pieces follow each other: `joint` ones begin where the last one ended, in value and time; `level` ones are
 * constant and `free` ones any line, each beginning one sample after the last one's end. An `event` is a level whose span is
 * coded after its value, when it has ended, in place of before.
 */
export type PieceForm = "joint" | "level" | "event" | "free";

/** Finds the piece that an encoder wants next. */
export interface PieceFinder {
  /**
   * @param from  row that the piece begins at
   * @param last  value that the last piece ended with
   * @param piece  overwritten
   */
  find(from: number, last: number, piece: Piece): void;
}

/** Spans and steps are coded by the magnitude of the span: 0, 1, 2–3, 4–7 … */
const SPAN_CLASSES = 7;
const START_CLASSES = 4;
/** After a single sample the next span is likely short too. */
const SPAN_CONTEXTS = 0;
const END_CONTEXTS = SPAN_CONTEXTS + 2 * CONTEXTS.unsigned;
const START_CONTEXTS = END_CONTEXTS + SPAN_CLASSES * CONTEXTS.signed;
const FIRST_CONTEXTS = START_CONTEXTS + START_CLASSES * CONTEXTS.signed;
const ALL_CONTEXTS = FIRST_CONTEXTS + CONTEXTS.signed;

/**
 * Pieces of all channels, one channel after the other, through one adaptive arithmetic coder with shared contexts: spans
 * by the last span, start and end values as steps by span and by the sign of the step before.
 */
export class PieceCoder {
  readonly #coder: AdaptiveCoder;
  readonly #form: PieceForm;
  readonly #piece: Piece = { span: 0, start: 0, end: 0 };
  #spanClass = 0;
  #sign = 0;

  /** @param bytes  what to decode; nothing to encode */
  constructor(form: PieceForm, bytes?: Uint8Array) {
    this.#coder = new AdaptiveCoder(ALL_CONTEXTS, bytes);
    this.#form = form;
  }

  /**
   * Code one channel.
   *
   * @param finder  what to encode; nothing to decode
   * @param grid  value = origin + step x integer
   * @param out  the channel's reconstruction, overwritten
   * @returns how many pieces it took
   */
  channel(finder: PieceFinder | undefined, grid: { step: number; origin: number }, out: Float64Array): number {
    this.#spanClass = 0;
    this.#sign = 0;
    if (this.#form === "joint") return this.#jointChannel(finder, grid, out);
    const piece = this.#piece;
    let pieces = 0;
    let last = 0;
    for (let from = 0; from < out.length; from += piece.span + 1) {
      finder?.find(from, last, piece);
      if (this.#form !== "event") piece.span = this.#span(piece.span);
      const isFree = this.#form === "free";
      const startContexts = START_CONTEXTS + Math.min(this.#spanClass, START_CLASSES - 1) * CONTEXTS.signed;
      piece.start = last + this.#step(isFree ? startContexts : this.#endContexts(), piece.start - last);
      const isLine = isFree && piece.span > 0;
      piece.end = isLine ? piece.start + this.#step(this.#endContexts(), piece.end - piece.start) : piece.start;
      if (this.#form === "event") piece.span = this.#span(piece.span);
      draw(piece, from, grid, out);
      last = piece.end;
      pieces += 1;
    }
    return pieces;
  }

  finish(): Uint8Array {
    return this.#coder.finish();
  }

  /** The first value, and then pieces that share their ends; each goes on for at least one sample. */
  #jointChannel(finder: PieceFinder | undefined, grid: { step: number; origin: number }, out: Float64Array): number {
    const piece = this.#piece;
    let pieces = 0;
    if (out.length === 0) return pieces;
    finder?.find(0, 0, piece);
    let last = this.#step(FIRST_CONTEXTS, piece.start);
    draw({ span: 0, start: last, end: last }, 0, grid, out);
    for (let from = 0; from < out.length - 1; from += piece.span) {
      if (from > 0) finder?.find(from, last, piece);
      piece.span = this.#span(piece.span - 1) + 1;
      piece.start = last;
      piece.end = last + this.#step(this.#endContexts(), piece.end - last);
      draw(piece, from, grid, out);
      last = piece.end;
      pieces += 1;
    }
    return pieces;
  }

  #span(span: number): number {
    const contexts = SPAN_CONTEXTS + (this.#spanClass > 1 ? CONTEXTS.unsigned : 0);
    const coded = codeUnsigned(this.#coder, contexts, span);
    this.#spanClass = Math.min(31 - Math.clz32(coded + 1), SPAN_CLASSES - 1);
    return coded;
  }

  #endContexts(): number {
    return END_CONTEXTS + this.#spanClass * CONTEXTS.signed;
  }

  #step(contexts: number, step: number): number {
    const coded = codeSigned(this.#coder, contexts, step, this.#sign);
    this.#sign = Math.sign(coded);
    return coded;
  }
}

function draw(
  { span, start, end }: Piece,
  from: number,
  { step, origin }: { step: number; origin: number },
  out: Float64Array,
): void {
  const first = origin + start * step;
  const rise = span === 0 ? 0 : ((end - start) * step) / span;
  const count = Math.min(span, out.length - 1 - from);
  for (let i = 0; i <= count; i++) out[from + i] = first + rise * i;
}
