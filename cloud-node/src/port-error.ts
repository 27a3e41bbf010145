export type PortErrorCode = "port-taken" | "cannot-listen";

/** The node cannot listen where it was told to. */
export class PortError extends Error {
  override readonly name = "PortError";
  readonly code: PortErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: PortErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`port: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: PortErrorCode, facts: Readonly<Record<string, string | number>>): string {
  switch (code) {
    case "port-taken":
      return `port ${facts.port} is taken; choose another, or 0 for any free one`;
    case "cannot-listen":
      return `cannot listen on port ${facts.port}: ${facts.detail}`;
  }
}
