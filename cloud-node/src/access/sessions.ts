import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { hashOf } from "./secret-token.ts";
import type { TokenRecord } from "./token-record.ts";
import type { TokenWatch } from "./token-watch.ts";

/** However busy it is, a log-in is asked for again after this time, ms: 7 days. */
const LONGEST_MS = 7 * 86_400_000;
/** And after this time in which nothing was asked and nothing followed, ms: 12 hours. */
const IDLE_MS = 12 * 3_600_000;
/** The oldest one of a token ends when it has more. */
const MAX_PER_TOKEN = 32;
const ID_BYTES = 32;

/** Somebody who logged in. */
export interface Session {
  /** SHA-256 of what the cookie says: the memory of the node holds no key to itself. */
  readonly key: string;
  /** Hash of the token that was shown. */
  readonly token: string;
  readonly openedMs: number;
}

/** Who logged in on the page, kept in memory alone: a restart of the node asks everybody again. */
export class Sessions {
  readonly #tokens: TokenWatch;
  readonly #clock: Clock;
  readonly #open = new Map<string, Session & { usedMs: number }>();

  constructor(tokens: TokenWatch, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Begin one. @returns what the cookie is to say */
  begin({ hash }: TokenRecord): string {
    const ofToken = [...this.#open.values()].filter(({ token }) => token === hash);
    for (const { key } of ofToken.slice(0, Math.max(0, ofToken.length - MAX_PER_TOKEN + 1))) this.#open.delete(key);
    const id = randomBytes(ID_BYTES).toString("base64url");
    const key = hashOf(id).toString("hex");
    const nowMs = this.#clock.nowMs();
    this.#open.set(key, { key, token: hash, openedMs: nowMs, usedMs: nowMs });
    return id;
  }

  /** The session of a cookie, and the token behind it; undefined when it is over. @param id  what the cookie says */
  find(id: string): { readonly session: Session; readonly record: TokenRecord } | undefined {
    // By its hash, so how long the look-up takes says nothing about the ids that there are.
    const session = this.#open.get(hashOf(id).toString("hex"));
    const record = session === undefined ? undefined : this.record(session.key);
    if (session === undefined || record === undefined) return undefined;
    session.usedMs = this.#clock.nowMs();
    return { session, record };
  }

  /** The token behind a session; undefined when it is over, whose place is then free. */
  record(key: string): TokenRecord | undefined {
    const session = this.#open.get(key);
    if (session === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    const isOver = nowMs - session.openedMs >= LONGEST_MS || nowMs - session.usedMs >= IDLE_MS;
    const record = isOver ? undefined : this.#tokens.good(session.token);
    if (isOver || (record === undefined && this.#tokens.isRead)) this.#open.delete(key);
    return record;
  }

  /** Something is followed in it: it is not idle. */
  touch(key: string): void {
    const session = this.#open.get(key);
    if (session !== undefined) session.usedMs = this.#clock.nowMs();
  }

  end(key: string): void {
    this.#open.delete(key);
  }

  /** Forget those that are over. */
  sweep(): void {
    for (const key of this.#open.keys()) this.record(key);
  }
}
