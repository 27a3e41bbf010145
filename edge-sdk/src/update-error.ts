export type UpdateErrorCode = "store" | "settings" | "bad-key" | "built-in";

/** A device's updates that are set up or kept in a way that cannot work. Callers test `code`, never the message. */
export class UpdateError extends Error {
  override readonly name = "UpdateError";
  readonly code: UpdateErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: UpdateErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`update: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: UpdateErrorCode, facts: Readonly<Record<string, string | number>>): string {
  switch (code) {
    case "store":
      return `cannot keep updates in ${facts.folder}: ${facts.problem}`;
    case "settings":
      return `1 to 4 keys are trusted, and ${facts.keys} were given; the target's name has 1 to 32 bytes`;
    case "bad-key":
      return `${facts.place} is no key: ${facts.problem}; a line is "ed25519:" or "hmac:" and 32 bytes in base64url`;
    case "built-in":
      return `the module that the device came with does not run: ${facts.problem}`;
  }
}
