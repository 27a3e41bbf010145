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
  | "shape";

/** The codec's refusal. Callers test `code`, never the message. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly code: CodecErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: CodecErrorCode, facts: Readonly<Record<string, string | number>> = {}) {
    const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    super(`codec: ${code}${told.length === 0 ? "" : `: ${told.join(", ")}`}`);
    this.code = code;
    this.facts = facts;
  }
}

/** Names of the status constants that the core exports, and what each means to a host. */
const STATUS_CODES: Readonly<Record<string, CodecErrorCode>> = {
  STATUS_CHANNEL_COUNT: "channel-count",
  STATUS_CHANNEL_INDEX: "channel-index",
  STATUS_BOUND_RANGE: "bound-range",
  STATUS_LATTICE_RANGE: "lattice-range",
  STATUS_HISTORY_SHIFT: "history-shift",
  STATUS_EVENT_IN_PLAIN_FRAME: "event-in-plain-frame",
  STATUS_OFF_LATTICE: "off-lattice",
  STATUS_OUTPUT_FULL: "output-full",
  STATUS_CORRUPT: "corrupt",
  STATUS_NOT_CANONICAL: "not-canonical",
  STATUS_NO_BASE: "no-base",
  STATUS_SAMPLE_STATUS: "sample-status",
};

/** What each negative status of one module means. */
export type StatusTable = ReadonlyMap<number, CodecErrorCode>;

/** Read the module's own numbers for its statuses; a module that lacks one never returns it. */
export function readStatusTable(exports: WebAssembly.Exports): StatusTable {
  const table = new Map<number, CodecErrorCode>();
  for (const [name, code] of Object.entries(STATUS_CODES)) {
    const global = exports[name];
    if (global instanceof WebAssembly.Global) table.set(Number(global.value), code);
  }
  return table;
}
