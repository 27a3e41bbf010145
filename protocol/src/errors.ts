/**
 * Why bytes were refused, or why a frame could not be written.
 *
 * @see protocol/SPEC.md, section 6
 */
export type FrameErrorCode =
  | "truncated"
  | "trailing-bytes"
  | "not-canonical"
  | "wrong-shape"
  | "out-of-range"
  | "unsupported-version"
  | "unknown-kind"
  | "bad-seal"
  | "too-large";

/** What is needed to act on a {@link FrameError}. Byte counts are totals from the start of the bytes concerned. */
export interface FrameErrorFacts {
  /** Byte at which the refused element starts; when writing, the byte at which it would have stood. */
  readonly offset: number;
  /** The element, as SPEC.md names it. */
  readonly field?: string;
  /** What was needed: bytes for `truncated`, elements for `wrong-shape`. */
  readonly need?: number;
  /** What was there: bytes, elements, or the value itself. */
  readonly have?: number;
  /** The bound that was passed. */
  readonly limit?: number;
}

/** A frame, a topic or a byte stream that does not follow SPEC.md. Callers test `code`, never the message. */
export class FrameError extends Error {
  readonly code: FrameErrorCode;
  readonly facts: FrameErrorFacts;

  constructor(code: FrameErrorCode, facts: FrameErrorFacts) {
    super(describe(code, facts));
    this.name = "FrameError";
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: FrameErrorCode, facts: FrameErrorFacts): string {
  const place = facts.field === undefined ? "" : ` (${facts.field})`;
  const numbers = [
    facts.need === undefined ? "" : `need ${facts.need}`,
    facts.have === undefined ? "" : `have ${facts.have}`,
    facts.limit === undefined ? "" : `limit ${facts.limit}`,
  ].filter((part) => part !== "");
  const tail = numbers.length === 0 ? "" : `: ${numbers.join(", ")}`;
  return `frame: ${code} at byte ${facts.offset}${place}${tail}`;
}
