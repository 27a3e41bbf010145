import { describeUnknownLookahead } from "./lookahead-choice.ts";

/** Why the codec refused something. */
export type CodecErrorCode =
  | "channel-count"
  | "channel-index"
  | "bound-range"
  | "lattice-range"
  | "history-shift"
  | "event-in-plain-frame"
  | "off-lattice"
  | "output-full"
  | "corrupt"
  | "not-canonical"
  | "no-base"
  | "sample-status"
  | "bound-below-conversion"
  | "not-a-count"
  | "scale-range"
  | "no-lookahead"
  | "unknown-lookahead"
  | "shape";

/** The codec's refusal. Callers test `code`, never the message. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly code: CodecErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: CodecErrorCode, facts: Readonly<Record<string, string | number>> = {}) {
    super(`codec: ${describe(code, facts)}`);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: CodecErrorCode, facts: Readonly<Record<string, string | number>>): string {
  if (code === "bound-below-conversion") {
    return `channel ${facts.channel} cannot keep eps ${facts.eps}: 32 bits of its range resolve ${facts.conversion}; give a larger eps`;
  }
  if (code === "unknown-lookahead") return describeUnknownLookahead(facts.lookahead);
  const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  return `${code}${told.length === 0 ? "" : `: ${told.join(", ")}`}`;
}

/**
 * What each negative status of the core means. The numbers are part of its interface and never change, so that a host
 * reads those of any release; a test compares them with what `batch.wasm` exports.
 */
export const CORE_STATUSES = [
  { status: -1, name: "STATUS_CHANNEL_COUNT", code: "channel-count" },
  { status: -2, name: "STATUS_CHANNEL_INDEX", code: "channel-index" },
  { status: -3, name: "STATUS_BOUND_RANGE", code: "bound-range" },
  { status: -4, name: "STATUS_LATTICE_RANGE", code: "lattice-range" },
  { status: -5, name: "STATUS_HISTORY_SHIFT", code: "history-shift" },
  { status: -6, name: "STATUS_EVENT_IN_PLAIN_FRAME", code: "event-in-plain-frame" },
  { status: -7, name: "STATUS_OFF_LATTICE", code: "off-lattice" },
  { status: -8, name: "STATUS_OUTPUT_FULL", code: "output-full" },
  { status: -9, name: "STATUS_CORRUPT", code: "corrupt" },
  { status: -10, name: "STATUS_NOT_CANONICAL", code: "not-canonical" },
  { status: -11, name: "STATUS_NO_BASE", code: "no-base" },
  { status: -12, name: "STATUS_SAMPLE_STATUS", code: "sample-status" },
] as const satisfies readonly { readonly status: number; readonly name: string; readonly code: CodecErrorCode }[];

const CODE_OF: ReadonlyMap<number, CodecErrorCode> = new Map(CORE_STATUSES.map(({ status, code }) => [status, code]));

/** The error that a negative status of the core stands for; one that no codec returns is taken for corruption. */
export function coreError(status: number, facts: Readonly<Record<string, string | number>> = {}): CodecError {
  return new CodecError(CODE_OF.get(status) ?? "corrupt", { ...facts, status });
}
