import { readFile, stat } from "node:fs/promises";
import { isOpenToOthers, whileLocked, writeWhole } from "../owner-file.ts";
import type { Role } from "./role.ts";
import { hashOf, makeSecret } from "./secret-token.ts";
import { TokenError } from "./token-error.ts";
import { checkName, formatBook, isGood, parseBook, type TokenRecord } from "./token-record.ts";

/** Beside the store. */
const SUFFIX = ".tokens";
/** Over any book of so many tokens. */
const MAX_BYTES = 1 << 20;
const MAX_TOKENS = 1_000;
const DAY_MS = 86_400_000;
/** A hundred years: further than anybody means. */
const MAX_DAYS = 36_500;

/** What a new token is to be. */
export interface TokenWish {
  readonly name: string;
  readonly roles: readonly Role[];
  /** Days from now, > 0; undefined: for ever. */
  readonly days?: number | undefined;
}

/** A token that was just made. */
export interface NewToken {
  readonly record: TokenRecord;
  /** Shown once, and kept nowhere. */
  readonly secret: string;
}

/** Who may ask a node: tokens by name, hashed, in a file of the owner alone beside its store. */
export class TokenBook {
  readonly file: string;

  /** @param storeFile  of the node */
  constructor(storeFile: string) {
    this.file = `${storeFile}${SUFFIX}`;
  }

  /**
   * The tokens as the file has them now, those revoked and expired too; undefined while there is no file.
   *
   * @throws {TokenError} `bad-book`; `book-open` when others may read or write it
   */
  async read(): Promise<readonly TokenRecord[] | undefined> {
    const facts = await stat(this.file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (facts === undefined) return undefined;
    const { size } = facts;
    if (isOpenToOthers(facts)) {
      const problem = `${this.file} can be read or written by others`;
      throw new TokenError("book-open", problem, `make it yours alone, chmod 600 ${this.file}`);
    }
    if (size > MAX_BYTES) {
      throw new TokenError("bad-book", `${this.file} has ${size} bytes, ${MAX_BYTES} is the limit`, "put it back");
    }
    return parseBook(await readFile(this.file, "utf8"), this.file);
  }

  /**
   * Make a token. The name of one that is not good any more may be used again.
   *
   * @param nowMs  Unix time
   * @throws {TokenError} `bad-name`, `bad-roles`, `bad-expiry`, `token-exists`, `book-full`, `book-locked`; as `read`
   */
  async add({ name, roles, days }: TokenWish, nowMs: number): Promise<NewToken> {
    checkName(name);
    if (roles.length === 0) throw new TokenError("bad-roles", "a token without a role opens nothing", "give a role");
    if (days !== undefined && !(days > 0 && days <= MAX_DAYS)) {
      throw new TokenError("bad-expiry", `${days} days is no time to expire in`, `write 0 to ${MAX_DAYS}, above 0`);
    }
    const secret = makeSecret();
    const record = {
      name,
      roles: [...new Set(roles)],
      hash: hashOf(secret).toString("hex"),
      added: new Date(nowMs).toISOString(),
      expires: days === undefined ? null : new Date(nowMs + days * DAY_MS).toISOString(),
      revoked: null,
    };
    await this.#change((tokens) => {
      if (tokens.some((token) => token.name === name && isGood(token, nowMs))) {
        const remedy = `give another name, or revoke it first, \`lockstep tokens revoke ${name}\``;
        throw new TokenError("token-exists", `there is a token ${name}`, remedy);
      }
      const others = tokens.filter((token) => token.name !== name);
      if (others.length >= MAX_TOKENS) {
        const problem = `${this.file} has ${others.length} tokens, ${MAX_TOKENS} is the limit`;
        throw new TokenError("book-full", problem, "use a revoked one's name again");
      }
      return [...others, record];
    });
    return { record, secret };
  }

  /**
   * Let a token open nothing more, for good.
   *
   * @param nowMs  Unix time
   * @returns false when it was revoked before
   * @throws {TokenError} `unknown-token`, `book-locked`; as `read`
   */
  async revoke(name: string, nowMs: number): Promise<boolean> {
    let isNew = false;
    await this.#change((tokens) => {
      const found = tokens.find((token) => token.name === name);
      if (found === undefined) {
        const problem = `${this.file} has no token "${name.slice(0, 80)}"`;
        throw new TokenError("unknown-token", problem, "see `lockstep tokens list`");
      }
      isNew = found.revoked === null;
      const revoked = found.revoked ?? new Date(nowMs).toISOString();
      return tokens.map((token) => (token === found ? { ...token, revoked } : token));
    });
    return isNew;
  }

  /** Write a changed book, one command at a time: a revoke must not be undone. */
  async #change(change: (tokens: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    const busy = (lock: string, cause: unknown) => {
      const problem = `another command writes ${this.file}, or one was killed`;
      return new TokenError("book-locked", problem, `if none runs, delete ${lock}`, { cause });
    };
    await whileLocked(this.file, busy, async () => {
      await writeWhole(this.file, formatBook(change((await this.read()) ?? [])));
    });
  }
}
