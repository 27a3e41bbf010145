/** Why a credential, or a file with some, was not taken. Callers test `code`, never the message. */
export type AccessErrorCode =
  | "bad-device-book"
  | "device-book-open"
  | "device-book-busy"
  | "bad-device-id"
  | "device-exists"
  | "unknown-device"
  | "bundle-exists"
  | "bad-tls-file"
  | "tls-key-open"
  | "open-door";

/** Who may speak cannot be told, or what was asked would let in more than that: what is wrong, where, and what to do. */
export class AccessError extends Error {
  override readonly name = "AccessError";
  readonly code: AccessErrorCode;

  /**
   * @param problem  what is wrong, with value, limit and place; never a secret
   * @param remedy  what to do, as an imperative; "" where the problem says it all
   */
  constructor(code: AccessErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(remedy === "" ? problem : `${problem}: ${remedy}`, options);
    this.code = code;
  }
}
