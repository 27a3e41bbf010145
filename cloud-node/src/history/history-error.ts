export type HistoryErrorCode = "bad-range" | "bad-bucket-count" | "unknown-channel" | "busy";

/** What was asked of a history makes no sense, or comes on top of too much. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  readonly code: HistoryErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: HistoryErrorCode, facts: Readonly<Record<string, string | number>>) {
    super(`history: ${describe(code, facts)}`);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: HistoryErrorCode, facts: Readonly<Record<string, string | number>>): string {
  switch (code) {
    case "bad-range":
      return `a range from ${facts.fromUs} to ${facts.toUs} µs: give two numbers, the earlier one first`;
    case "bad-bucket-count":
      return `${facts.count} buckets: give a whole number from 1 to ${facts.most}`;
    case "unknown-channel":
      return `channel ${facts.channel} of ${facts.device}: it has ${facts.channels}, counted from 0`;
    case "busy":
      return `${facts.waiting} ${facts.of} wait already, and ${facts.most} is the limit: ask again in a moment`;
  }
}
