export type RecordingErrorCode =
  | "no-folder"
  | "no-recording"
  | "two-recordings"
  | "unreadable"
  | "no-description"
  | "bad-description"
  | "truncated"
  | "too-long"
  | "empty"
  | "too-many-channels"
  | "bound-too-fine"
  | "ragged-row"
  | "not-a-number"
  | "not-finite";

/** What to do about each. */
const ADVICE: Readonly<Record<RecordingErrorCode, string>> = {
  "no-folder": "give --data DIR, a folder that exists",
  "no-recording": "put NAME.f32 with NAME.json, or NAME.csv, into the folder",
  "two-recordings": "keep either the .f32 or the .csv",
  unreadable: "make it a file that can be read",
  "no-description": 'write NAME.json beside it: {"channels": ["x", "y"]} or {"channels": 2}',
  "bad-description": 'write {"channels": ["x", "y"]} or {"channels": 2}, and "samples" only if it counts the rows',
  truncated: 'get the whole file, or correct "channels" or "samples" in NAME.json',
  "too-long": 'correct "channels" or "samples" in NAME.json, or leave "samples" out',
  empty: "leave it out, or record at least one row of one channel",
  "too-many-channels": "split it into several recordings",
  "bound-too-fine": "give a larger --rel",
  "ragged-row": "give every row as many columns as the first, and decimals a point, for a comma may end a column",
  "not-a-number":
    "separate columns with commas, semicolons or tabs, give decimals a point, and leave out what is no number, such as dates",
  "not-finite": "leave out rows without a value, or fill them in",
};

/** A recording that cannot be used: what is wrong, where, and what to do about it. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
  readonly code: RecordingErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: RecordingErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    const told = Object.entries(facts).map((fact) => fact.join(" "));
    super(`recording: ${code.replaceAll("-", " ")}: ${told.join(", ")}; ${ADVICE[code]}`, options);
    this.code = code;
    this.facts = facts;
  }
}
