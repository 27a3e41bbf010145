/** Why a token or the book of tokens was not taken. Callers test `code`, never the message. */
export type TokenErrorCode =
  | "bad-book"
  | "book-open"
  | "book-locked"
  | "book-full"
  | "bad-name"
  | "bad-roles"
  | "bad-expiry"
  | "token-exists"
  | "unknown-token";

/** Something is wrong with a token, or with the book that has it: what, where, and what to do. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly code: TokenErrorCode;

  /**
   * @param problem  what is wrong, with value, limit and place; never a secret
   * @param remedy  what to do, as an imperative; "" where the problem says it all
   */
  constructor(code: TokenErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(remedy === "" ? problem : `${problem}: ${remedy}`, options);
    this.code = code;
  }
}
