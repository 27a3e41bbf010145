export type RepublishErrorCode = "no-broker" | "bad-topic" | "bad-name";

/** What was asked for cannot be re-published as it stands. */
export class RepublishError extends Error {
  override readonly name = "RepublishError";
  readonly code: RepublishErrorCode;
  /** What to do about it. */
  readonly remedy: string;

  constructor(code: RepublishErrorCode, detail: string, remedy: string) {
    super(`republish: ${detail}`);
    this.code = code;
    this.remedy = remedy;
  }
}
