import type { IncomingMessage } from "node:http";
import { FailedAttempts } from "../access/failed-attempts.ts";
import { ROLES, type Role } from "../access/role.ts";
import { isSecret } from "../access/secret-token.ts";
import { Sessions } from "../access/sessions.ts";
import type { TokenRecord } from "../access/token-record.ts";
import type { ShownToken, TokenWatch } from "../access/token-watch.ts";
import type { Clock } from "../clock.ts";
import { Counters } from "../counters.ts";
import type { Logger } from "../logger.ts";
import { ApiProblem } from "./problem.ts";
import { SessionCookie } from "./session-cookie.ts";
import type { Visitor } from "./visitor.ts";

/** What access is decided by. */
export interface AccessOptions {
  readonly tokens: TokenWatch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly storeFile: string;
  readonly isTls: boolean;
}

/** Who everybody is while no token was ever made. */
const ANYBODY = { name: null, roles: ROLES, expires: null, token: undefined } as const;

/** Says who asks, by a token or by the cookie of a log-in, and whether they may. */
export class AccessControl {
  readonly cookie: SessionCookie;
  /** What was refused, by the problem's code. */
  readonly refused = new Counters();
  readonly #tokens: TokenWatch;
  readonly #sessions: Sessions;
  readonly #attempts: FailedAttempts;
  readonly #logger: Logger;
  readonly #visitors = new WeakMap<IncomingMessage, Visitor>();

  constructor({ tokens, clock, logger, storeFile, isTls }: AccessOptions) {
    this.#tokens = tokens;
    this.#sessions = new Sessions(tokens, clock);
    this.#attempts = new FailedAttempts(clock);
    this.#logger = logger;
    this.cookie = new SessionCookie(storeFile, isTls);
  }

  /** Whether everybody may ask: no token was ever made. */
  get isOpen(): boolean {
    return this.#tokens.isOpen;
  }

  /** Who is logged in on the page. */
  get sessions(): number {
    return this.#sessions.count;
  }

  /** Wrong tokens since the start. */
  get failedAttempts(): number {
    return this.#attempts.total;
  }

  /** Hear that somebody may be in no more. @returns ends it */
  onChange(listener: () => void): () => void {
    return this.#tokens.onChange(() => {
      this.#sessions.sweep();
      listener();
    });
  }

  /**
   * Let a request in.
   *
   * @param roles  of which it must have one
   * @throws {ApiProblem} `no-token`, `bad-token`, `role-missing`, `too-many-attempts`, `forwarded`
   */
  async admit(request: IncomingMessage, roles: readonly Role[]): Promise<void> {
    const visitor = await this.#visitor(request);
    if (!visitor.roles.some((role) => roles.includes(role))) {
      const [has, needed] = [visitor.roles.join(", "), roles.join(" or ")];
      throw new ApiProblem("role-missing", `the token ${visitor.name} may ${has}, and this needs ${needed}`);
    }
    this.#visitors.set(request, visitor);
  }

  /** Who an admitted request is of. */
  visitorOf(request: IncomingMessage): Visitor {
    return this.#visitors.get(request) ?? { ...ANYBODY, isIn: () => this.isOpen };
  }

  /**
   * Begin a session for whoever shows a token that may read.
   *
   * @returns the header that sets the cookie; undefined: nobody has to log in
   * @throws {ApiProblem} `bad-token`, `role-missing`, `too-many-attempts`
   */
  async logIn(request: IncomingMessage, secret: string): Promise<string | undefined> {
    if (this.isOpen) return undefined;
    const record = await this.#record(request, secret);
    if (!record.roles.includes("read")) {
      throw new ApiProblem("role-missing", `the token ${record.name} may not read, and the page does nothing else`);
    }
    this.logOut(request);
    const id = this.#sessions.begin(record);
    this.#logger.info({ token: record.name, address: addressOf(request) }, "logged in");
    const found = this.#sessions.find(id);
    if (found !== undefined) this.#visitors.set(request, this.#ofSession(found.session.key, found.record));
    return this.cookie.begin(id);
  }

  /** End the session of a request, if it has one. */
  logOut(request: IncomingMessage): void {
    const id = this.cookie.read(request.headers.cookie);
    const found = id === undefined ? undefined : this.#sessions.find(id);
    if (found === undefined) return;
    this.#sessions.end(found.session.key);
    this.#logger.info({ token: found.record.name }, "logged out");
  }

  async #visitor(request: IncomingMessage): Promise<Visitor> {
    const { authorization, cookie } = request.headers;
    if (this.isOpen) {
      refuseForwarded(request);
      return { ...ANYBODY, isIn: () => this.isOpen };
    }
    if (authorization !== undefined) {
      const [, secret] = /^Bearer ([^ ]{1,256})$/i.exec(authorization) ?? [];
      if (secret === undefined) {
        throw new ApiProblem("no-token", "the header authorization is not understood: write Bearer and a token");
      }
      const { hash, ...record } = await this.#record(request, secret);
      return { ...shown(record), token: hash, isIn: () => this.#tokens.good(hash) !== undefined };
    }
    const id = this.cookie.read(cookie);
    const found = id === undefined ? undefined : this.#sessions.find(id);
    if (found !== undefined) return this.#ofSession(found.session.key, found.record);
    const why = this.cookie.isIn(cookie) ? "the session is over: log in again" : "log in, or send a token";
    throw new ApiProblem("no-token", `${why}; \`lockstep tokens add NAME --role read\` on the node makes one`);
  }

  #ofSession(key: string, { hash, ...record }: TokenRecord): Visitor {
    const isIn = (): boolean => {
      if (this.#sessions.record(key) === undefined) return false;
      this.#sessions.touch(key);
      return true;
    };
    return { ...shown(record), token: hash, isIn };
  }

  /** Whose a secret is. @throws {ApiProblem} `bad-token`, `too-many-attempts` */
  async #record(request: IncomingMessage, secret: string): Promise<TokenRecord> {
    // Nobody guesses a good one: whoever has it does not wait for others at the same address.
    const known = this.#find(secret);
    if (known?.isGood === true) return known.record;
    // It may have been made just now.
    await this.#tokens.refresh();
    const found = this.#find(secret);
    if (found?.isGood === true) return found.record;
    const address = addressOf(request);
    const waitMs = this.#attempts.waitMs(address);
    if (waitMs > 0) {
      const retryAfterS = Math.ceil(waitMs / 1000);
      const detail = `too many wrong tokens came from ${address}: wait ${retryAfterS} s`;
      throw new ApiProblem("too-many-attempts", detail, { retryAfterS });
    }
    this.#attempts.add(address);
    if (found === undefined) {
      this.#logger.warn({ address, failedAttempts: this.#attempts.total }, "a wrong token");
      throw new ApiProblem("bad-token", "this token opens nothing here: check it, or ask whoever runs the node");
    }
    const { name, revoked } = found.record;
    const end = revoked === null ? "has expired" : "was revoked";
    this.#logger.warn({ address, token: name }, `a token that ${end}`);
    throw new ApiProblem("bad-token", `the token ${name} ${end}: ask whoever runs the node for another`);
  }

  #find(secret: string): ShownToken | undefined {
    return isSecret(secret) ? this.#tokens.find(secret) : undefined;
  }
}

function shown({ name, roles, expires }: Omit<TokenRecord, "hash">): Pick<Visitor, "name" | "roles" | "expires"> {
  return { name, roles, expires };
}

/** What a proxy adds. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** Behind a proxy everybody seems to be on this machine. @throws {ApiProblem} `forwarded` */
function refuseForwarded({ headers }: IncomingMessage): void {
  const name = FORWARDED.find((header) => headers[header] !== undefined);
  if (name === undefined) return;
  const remedy = "`lockstep tokens add NAME --role read` on the node makes the first one";
  throw new ApiProblem("forwarded", `this came through a proxy (${name}), and no token was ever made: ${remedy}`);
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? "";
}
