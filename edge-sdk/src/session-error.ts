import { describeUnknownLookahead } from "./lookahead-choice.ts";

export type SessionErrorCode =
  | "link"
  | "ring-too-large"
  | "no-lookahead"
  | "unknown-lookahead"
  | "lookahead-too-large"
  | "ring-foreign"
  | "ring-file"
  | "wrong-width"
  | "wrong-time"
  | "mac-key"
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
      return `the core refuses ${facts.call} with status ${facts.status}${remedyOf(facts.status)}`;
    case "ring-too-large":
      return `a ring of ${facts.bytes} bytes does not fit the core's memory, which has room for ${facts.limit}`;
    case "no-lookahead":
      return "a lookahead needs a gateway's module, and this is a device's";
    case "unknown-lookahead":
      return describeUnknownLookahead(facts.lookahead);
    case "lookahead-too-large":
      return `a lookahead of ${facts.bytes} bytes does not fit the core's memory, which has room for ${facts.limit}: fewer samples a frame need less`;
    case "ring-foreign":
      return `${facts.file} holds frames of another configuration: restore that one, or delete the file to give them up`;
    case "ring-file":
      return `cannot keep the ring in ${facts.file}: ${facts.problem}`;
    case "wrong-width":
      return `a sample of ${facts.values} values for ${facts.channels} channels`;
    case "wrong-time":
      return `a sample at ${facts.timeUs} µs: device time is a whole number from 0 to 2^53 - 1`;
    case "mac-key":
      return `a link key of ${facts.bytes} bytes: it has ${facts.need}, as the cloud node gave it with the device`;
    case "closed":
      return "it was closed before";
  }
}

/** What to change, for the statuses of `status.ts` that a configuration can cause. */
function remedyOf(status: string | number | undefined): string {
  switch (status) {
    case -33:
      return ": a value is outside its range: 1 to 65535 samples a frame, a silence of at least 1 ms, names that fit";
    case -34:
    case -35:
      return ": the ring is too small for frames of so many channels; give it more bytes";
    default:
      return "";
  }
}
