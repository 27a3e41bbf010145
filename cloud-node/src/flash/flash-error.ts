/** Why a key, a package or an update was not taken. Callers test `code`, never the message. */
export type FlashErrorCode =
  | "bad-key"
  | "bad-key-file"
  | "key-exists"
  | "key-file-open"
  | "no-private-key"
  | "bad-package"
  | "bad-version"
  | "bad-signature"
  | "bad-digest"
  | "unknown-key"
  | "module-refused"
  | "bad-order"
  | "unknown-update"
  | "update-over"
  | "busy"
  | "closed"
  | "folder";

/** A key, a package or an update that is not what it should be: what is wrong, where, and what to do. */
export class FlashError extends Error {
  override readonly name = "FlashError";
  readonly code: FlashErrorCode;

  /**
   * @param problem  what is wrong, with value, limit and place
   * @param remedy  what to do, as an imperative; "" where the problem says it all
   */
  constructor(code: FlashErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(remedy === "" ? problem : `${problem}: ${remedy}`, options);
    this.code = code;
  }
}
