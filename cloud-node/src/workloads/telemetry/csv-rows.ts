import { decimalsOf, parseNumber } from "./time-text.ts";

/** Rows of a CSV file that were read together, looked at one after another. */
export interface CsvRows {
  /** How far into the file they reach, bytes. */
  readonly readTo: number;
  /** Cells of the row in hand. */
  readonly cells: number;
  /** Digits after the point of the number that was asked for last. */
  readonly decimals: number;
  /** Take the next row in hand. @returns false behind the last */
  next(): boolean;
  /** A cell without the white space around it; "" where the row has none. */
  text(position: number): string;
  /** The number in a cell; NaN for what is no finite number. */
  number(position: number): number;
}

/** Rows whose cells are texts already. */
export class TextRows implements CsvRows {
  readonly readTo: number;
  readonly #rows: readonly (readonly string[])[];
  #at = -1;
  decimals = 0;

  constructor(rows: readonly (readonly string[])[], readTo: number) {
    this.#rows = rows;
    this.readTo = readTo;
  }

  get cells(): number {
    return this.#rows[this.#at]?.length ?? 0;
  }

  next(): boolean {
    this.#at += 1;
    return this.#at < this.#rows.length;
  }

  text(position: number): string {
    return this.#rows[this.#at]?.[position] ?? "";
  }

  number(position: number): number {
    const text = this.text(position);
    this.decimals = decimalsOf(text);
    return parseNumber(text) ?? Number.NaN;
  }
}

const NEW_LINE = 10;
const SPACE = 32;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const DELETE = 127;
/** Any integer of so many digits is exact in float64. */
const EXACT_DIGITS = 15;
/** Exact as well, so that one division of two exact numbers rounds as reading the text does. */
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, digits) => Number(`1e${digits}`));

/**
 * Rows as the bytes of their lines, without a quote: a number is read where it stands, and only what is none becomes a
 * text. Recordings are nearly all numbers, and a string for each would be most of the work on them.
 */
export class PlainRows implements CsvRows {
  readonly readTo: number;
  readonly #lines: Buffer;
  readonly #delimiter: number;
  /** Of the row in hand: where each cell begins and ends, of as many as were asked for. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #at = 0;
  cells = 0;
  decimals = 0;

  /**
   * @param lines  whole ones, each with its end; stays the caller's, who leaves it as it is until the last row
   * @param width  cells of a row that can be asked for
   */
  constructor(lines: Buffer, delimiter: string, width: number, readTo: number) {
    this.#lines = lines;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#starts = new Int32Array(width);
    this.#ends = new Int32Array(width);
    this.readTo = readTo;
  }

  next(): boolean {
    while (this.#at < this.#lines.length) {
      this.#split();
      if (this.cells > 1 || !this.#isBlank()) return true;
    }
    return false;
  }

  text(position: number): string {
    if (position >= this.cells) return "";
    return this.#lines.toString("utf8", this.#starts[position], this.#ends[position]).trim();
  }

  number(position: number): number {
    if (position >= this.cells) return this.#numberInText(position);
    const lines = this.#lines;
    let at = this.#starts[position] ?? 0;
    let end = this.#ends[position] ?? 0;
    while (at < end && lines[at] === SPACE) at++;
    // A line's end may have a carriage return before it.
    while (end > at && (lines[end - 1] ?? 0) <= SPACE) end--;
    const isNegative = lines[at] === MINUS;
    if (isNegative) at++;
    const first = at;
    let point = end;
    let digits = 0;
    for (; at < end; at++) {
      const digit = (lines[at] ?? 0) - ZERO;
      if (digit >= 0 && digit <= 9) digits = 10 * digits + digit;
      else if (lines[at] === POINT && point === end && at > first) point = at;
      else return this.#numberInText(position);
    }
    const decimals = Math.max(0, end - point - 1);
    const count = end - first - (point < end ? 1 : 0);
    if (count === 0 || count > EXACT_DIGITS || point === end - 1) return this.#numberInText(position);
    this.decimals = decimals;
    const size = digits / (POWERS[decimals] ?? 1);
    return isNegative ? -size : size;
  }

  #numberInText(position: number): number {
    const text = this.text(position);
    this.decimals = decimalsOf(text);
    return parseNumber(text) ?? Number.NaN;
  }

  #split(): void {
    const lines = this.#lines;
    const starts = this.#starts;
    const ends = this.#ends;
    let at = this.#at;
    let cell = 0;
    // Beyond the width these have no place, and are only counted.
    starts[0] = at;
    for (;;) {
      const byte = lines[at];
      if (byte === this.#delimiter || byte === NEW_LINE) {
        ends[cell] = at;
        cell += 1;
        if (byte === NEW_LINE) break;
        starts[cell] = at + 1;
      }
      at++;
    }
    this.cells = cell;
    this.#at = at + 1;
  }

  /** Whether the line in hand has nothing but white space, which other alphabets have, too. */
  #isBlank(): boolean {
    const first = this.#lines[this.#starts[0] ?? 0] ?? 0;
    return (first <= SPACE || first >= DELETE) && this.text(0) === "";
  }
}
