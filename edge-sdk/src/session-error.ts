export type SessionErrorCode =
  | "link"
  | "ring-too-large"
  | "ring-foreign"
  | "ring-file"
  | "wrong-width"
  | "wrong-time"
  | "closed";

/** A device session that was set up or used in a way that cannot work. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: SessionErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`device session: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: SessionErrorCode, facts: Readonly<Record<string, string | number>>): string {
  switch (code) {
    case "link":
      return `the core refuses ${facts.call} with status ${facts.status}`;
    case "ring-too-large":
      return `a ring of ${facts.bytes} bytes does not fit the core's memory, which has room for ${facts.limit}`;
    case "ring-foreign":
      return `${facts.file} holds frames of another configuration: restore that one, or delete the file to give them up`;
    case "ring-file":
      return `cannot keep the ring in ${facts.file}: ${facts.problem}`;
    case "wrong-width":
      return `a sample of ${facts.values} values for ${facts.channels} channels`;
    case "wrong-time":
      return `a sample at ${facts.timeUs} µs: device time is a whole number from 0 to 2^53 - 1`;
    case "closed":
      return "it was closed before";
  }
}
