import type { Role } from "../access/role.ts";

/** Who asks. */
export interface Visitor {
  /** Of the token; null: nobody has to show one. */
  readonly name: string | null;
  readonly roles: readonly Role[];
  /** ISO date after which the token is good no more; null: never. */
  readonly expires: string | null;
  /** What all requests with one token have in common; undefined: nobody has to show one. */
  readonly token: string | undefined;
  /** Whether it may go on: no token was revoked or made, nobody logged out. A stream that it reads counts as use. */
  isIn(): boolean;
}
