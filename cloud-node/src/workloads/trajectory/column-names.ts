/**
 * What a column holds, as far as its name says.
 *
 * `real`: numbers, whole only by chance. `number`: numbers. `text`: words, even where they look like numbers.
 * `unknown`: to be seen.
 */
export type NamedKind = "real" | "number" | "text" | "unknown";

/** @see LAMMPS manual, "dump command", attributes of style custom */
const REAL =
  /^(?:[xyz]s?u?|v[xyz]|f[xyz]|q|mass|radius|diameter|heatflow|temperature|mu[xyz]?|omega[xyz]|angmom[xyz]|tq[xyz])$/;
const NUMBER = /^(?:id|mol|proc|procp1|type|i[xyz]|i2?_.+)$/;
/** Computes, fixes, variables and custom properties: `c_1[3]`, `f_ave`, `v_name`, `d_name`, `d2_name[1]`. */
const CALCULATED = /^(?:[cfvd]|d2)_/;
const TEXT = /^(?:element|typelabel)$/;

/** Kind of a column by its name. */
export function kindOfName(name: string): NamedKind {
  if (REAL.test(name) || CALCULATED.test(name)) return "real";
  if (NUMBER.test(name)) return "number";
  return TEXT.test(name) ? "text" : "unknown";
}

/** Without digits that a number would lose: `007` is a word. */
const NUMBER_WORD = /^[+-]?(?:(?:0|[1-9]\d*)\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^([+-]?)(nan|inf|infinity)$/i;

/** The number that a word is, as the kernel of rows would take it; undefined: it is none. */
export function numberOfWord(word: string): number | undefined {
  if (NUMBER_WORD.test(word)) return Number(word);
  const [, sign, name] = NOT_FINITE.exec(word) ?? [];
  if (name === undefined) return undefined;
  if (name.toLowerCase() === "nan") return Number.NaN;
  return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Whether a number in this form is one of an `integer` column. */
export function isWholeWord(word: string): boolean {
  return /^[+-]?\d+$/.test(word) && Number.isSafeInteger(Number(word)) && !Object.is(Number(word), -0);
}

const WORD = /^[^\p{Cc}\p{Z}\ufffd]+$/u;

/** Whether text can be one cell, or the name of a column: at least one character, no blank, nothing that is not printed. */
export function isWord(text: string): boolean {
  return WORD.test(text);
}
