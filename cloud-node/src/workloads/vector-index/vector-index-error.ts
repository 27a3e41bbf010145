/** What can be wrong with vectors, with what is asked of an index, and with an index itself. */
export type VectorIndexErrorCode =
  | "no-file"
  | "unreadable"
  | "unknown-format"
  | "bad-shape"
  | "truncated"
  | "bad-header"
  | "not-finite"
  | "zero-vector"
  | "too-large"
  | "too-small"
  | "too-few"
  | "bad-option"
  | "no-device"
  | "not-an-index"
  | "unknown-version"
  | "bad-index"
  | "bad-checksum"
  | "no-such-row"
  | "changed"
  | "busy"
  | "no-regular-file"
  | "bad-checkpoint";

/** Where something is wrong: whatever of it is known. */
export interface VectorIndexPlace {
  readonly file?: string | undefined;
  /** Of the file's table of sections. */
  readonly section?: string | undefined;
  /** Vectors are numbered from 0. */
  readonly row?: number | undefined;
  /** Dimensions are numbered from 0. */
  readonly column?: number | undefined;
  /** Offset in the file. */
  readonly byte?: number | undefined;
}

/** Vectors or an index that cannot be taken as they are: what is wrong, where, and what to do about it. */
export class VectorIndexError extends Error {
  override readonly name = "VectorIndexError";
  readonly code: VectorIndexErrorCode;
  readonly place: VectorIndexPlace;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  constructor(
    code: VectorIndexErrorCode,
    problem: string,
    remedy: string,
    place: VectorIndexPlace = {},
    options?: ErrorOptions,
  ) {
    super(`${placeText(place)}${problem}: ${remedy}`, options);
    this.code = code;
    this.place = place;
    this.problem = problem;
    this.remedy = remedy;
  }
}

function placeText({ file, section, row, column, byte }: VectorIndexPlace): string {
  const parts = [
    ...(file === undefined ? [] : [file]),
    ...(section === undefined ? [] : [`section ${section}`]),
    ...(row === undefined ? [] : [`row ${row}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
    ...(byte === undefined ? [] : [`byte ${byte}`]),
  ];
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}
