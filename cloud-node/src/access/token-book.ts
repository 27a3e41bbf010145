import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { giveToOwner, syncFolder } from "./book-owner.ts";
import type { Role } from "./role.ts";
import { hashOf, makeSecret } from "./secret-token.ts";
import { TokenError } from "./token-error.ts";
import { checkName, formatBook, isGood, parseBook, type TokenRecord } from "./token-record.ts";

/** Beside the store. */
const SUFFIX = ".tokens";
const OWNER_ONLY = 0o600;
/** Permission bits of group and others. */
const NOT_OWNER = 0o077;
/** Over any book of so many tokens. */
const MAX_BYTES = 1 << 20;
const MAX_TOKENS = 1_000;
const DAY_MS = 86_400_000;
/** A hundred years: further than anybody means. */
const MAX_DAYS = 36_500;
/** Another command that writes is waited for. */
const LOCK_TRIES = 20;
const LOCK_PAUSE_MS = 100;

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
    const { size, mode } = facts;
    if (process.platform !== "win32" && (mode & NOT_OWNER) !== 0) {
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

  /** Write a changed book, whole or not at all whenever the power goes, and one command at a time. */
  async #change(change: (tokens: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    const unlock = await this.#lock();
    const partial = `${this.file}.${randomBytes(4).toString("hex")}.part`;
    try {
      const text = formatBook(change((await this.read()) ?? []));
      const handle = await open(partial, "wx", OWNER_ONLY);
      try {
        giveToOwner(handle.fd, this.file);
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(partial, this.file);
      syncFolder(dirname(this.file));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    } finally {
      await unlock();
    }
  }

  /** Two that read, change and write at once would undo each other: a revoke must not be undone. */
  async #lock(): Promise<() => Promise<void>> {
    const lock = `${this.file}.lock`;
    for (let tries = 1; ; tries++) {
      try {
        await (await open(lock, "wx", OWNER_ONLY)).close();
        return () => rm(lock, { force: true });
      } catch (cause) {
        if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
        if (tries === LOCK_TRIES) {
          const problem = `another command writes ${this.file}, or one was killed`;
          throw new TokenError("book-locked", problem, `if none runs, delete ${lock}`, { cause });
        }
        await setTimeout(LOCK_PAUSE_MS);
      }
    }
  }
}
