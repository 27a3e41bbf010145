import { createHash } from "node:crypto";
import { resolve } from "node:path";

/** A browser forgets it when the node does: 7 days, s. */
const MAX_AGE_S = 7 * 86_400;
const NAME_DIGITS = 8;
const VALUE = /^[A-Za-z0-9_-]{43}$/;

/** The cookie of whoever logged in: no script reads it, no other site makes a browser send it. */
export class SessionCookie {
  readonly name: string;
  readonly #attributes: string;

  /**
   * @param storeFile  nodes on one machine share their cookies whatever their port, so each has a name of its own
   * @param isTls  then it is never sent without, and nobody beside this very host can set it
   */
  constructor(storeFile: string, isTls: boolean) {
    const tag = createHash("sha256").update(resolve(storeFile)).digest("hex").slice(0, NAME_DIGITS);
    this.name = `${isTls ? "__Host-" : ""}lockstep-${tag}`;
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${isTls ? "; Secure" : ""}`;
  }

  /** What a request says; undefined where it says nothing, or two things. @param header  `cookie` */
  read(header: string | undefined): string | undefined {
    const values = (header ?? "").split(";").flatMap((pair) => {
      const [name = "", ...rest] = pair.trim().split("=");
      return name === this.name ? [rest.join("=")] : [];
    });
    const [value] = values;
    return values.length === 1 && value !== undefined && VALUE.test(value) ? value : undefined;
  }

  /** Whether a request has it at all, good or not. @param header  `cookie` */
  isIn(header: string | undefined): boolean {
    return (header ?? "").includes(`${this.name}=`);
  }

  /** The header `set-cookie` that begins a session. */
  begin(value: string): string {
    return `${this.name}=${value}; ${this.#attributes}; Max-Age=${MAX_AGE_S}`;
  }

  /** The header that makes a browser forget it. */
  end(): string {
    return `${this.name}=; ${this.#attributes}; Max-Age=0`;
  }
}
