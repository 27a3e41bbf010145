export type StoreErrorCode =
  | "not-a-database"
  | "foreign-database"
  | "newer-schema"
  | "cannot-open"
  | "in-use"
  | "read-only"
  | "disk-full"
  | "busy"
  | "corrupt"
  | "input-output"
  | "unknown-device"
  | "unknown-model"
  | "closed"
  | "failed";

/** The store could not do what was asked; what was durable before still is. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: StoreErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`store: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

/** SQLite's primary result codes that mean something to act on. @see https://sqlite.org/rescode.html */
const CODE_OF_RESULT: ReadonlyMap<number, StoreErrorCode> = new Map([
  [5, "busy"],
  [6, "busy"],
  [8, "read-only"],
  [10, "input-output"],
  [11, "corrupt"],
  [13, "disk-full"],
  [14, "cannot-open"],
  [26, "not-a-database"],
]);

/**
 * The StoreError for whatever SQLite threw.
 *
 * @param file  named in the message
 */
export function storeErrorOf(cause: unknown, file: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const result = resultCode(cause);
  const code = result === undefined ? "failed" : (CODE_OF_RESULT.get(result & 0xff) ?? "failed");
  return new StoreError(code, { file, detail: message }, { cause });
}

function resultCode(cause: unknown): number | undefined {
  if (typeof cause !== "object" || cause === null || !("errcode" in cause)) return undefined;
  return typeof cause.errcode === "number" ? cause.errcode : undefined;
}

function describe(code: StoreErrorCode, facts: Readonly<Record<string, string | number>>): string {
  const file = facts.file;
  const detail = facts.detail;
  switch (code) {
    case "not-a-database":
      return `${file} is not a database; choose another file`;
    case "foreign-database":
      return `${file} is a database of something else; choose another file`;
    case "newer-schema":
      return `${file} has schema ${facts.version}, this release reads up to ${facts.supported}; use a newer release`;
    case "cannot-open":
      return `${file} cannot be opened: ${detail}`;
    case "in-use":
      return `${file} belongs to another node that is running: stop that one, or choose another file`;
    case "read-only":
      return `${file} cannot be written: ${detail}`;
    case "disk-full":
      return `no room left to write ${file}: ${detail}`;
    case "busy":
      return `${file} is locked by another process: ${detail}`;
    case "corrupt":
      return `${file} is damaged: ${detail}`;
    case "input-output":
      return `reading or writing ${file} failed: ${detail}`;
    case "unknown-device":
      return `${file} knows no device ${facts.device}`;
    case "unknown-model":
      return `${file} holds frames of model ${facts.model}, which no release and no operator registered`;
    case "closed":
      return `${file} is closed`;
    case "failed":
      return `${file}: ${detail}`;
  }
}
