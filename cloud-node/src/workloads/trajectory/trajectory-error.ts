/** What can be wrong with a dump, with a frame that is to become one, and with a container. */
export type TrajectoryErrorCode =
  | "no-file"
  | "unreadable"
  | "no-frame"
  | "truncated"
  | "bad-compression"
  | "bad-header"
  | "bad-row"
  | "bad-number"
  | "bad-id"
  | "bad-text"
  | "too-large"
  | "bad-frame"
  | "bad-eps"
  | "not-a-container"
  | "unknown-version"
  | "bad-container"
  | "bad-chunk"
  | "no-such-frame"
  | "no-such-column";

/** Where something is wrong: whatever of it is known. */
export interface TrajectoryPlace {
  readonly file?: string | undefined;
  /** 1 …. */
  readonly line?: number | undefined;
  /** Offset in the text after decompression, or in the file where that is what is damaged. */
  readonly byte?: number | undefined;
}

/** A trajectory that cannot be taken as it is: what is wrong, where, and what to do about it. */
export class TrajectoryError extends Error {
  override readonly name = "TrajectoryError";
  readonly code: TrajectoryErrorCode;
  readonly place: TrajectoryPlace;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  constructor(
    code: TrajectoryErrorCode,
    problem: string,
    remedy: string,
    place: TrajectoryPlace = {},
    options?: ErrorOptions,
  ) {
    super(`${placeText(place)}${problem}: ${remedy}`, options);
    this.code = code;
    this.place = place;
    this.problem = problem;
    this.remedy = remedy;
  }
}

function placeText({ file, line, byte }: TrajectoryPlace): string {
  const parts = [
    ...(file === undefined ? [] : [file]),
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(byte === undefined ? [] : [`byte ${byte}`]),
  ];
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}
