import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { fileVersion } from "../owner-file.ts";
import { isSameHash } from "./random-secret.ts";
import { hashOf } from "./secret-token.ts";
import type { TokenBook } from "./token-book.ts";
import { isGood, type TokenRecord } from "./token-record.ts";

/** What is written in the book holds after this time at the latest, ms. */
const LOOK_MS = 500;

/** What a node needs to follow its book. */
export interface TokenWatchOptions {
  readonly book: TokenBook;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What became of a secret that somebody showed: whose it is, and whether it is good. */
export interface ShownToken {
  readonly record: TokenRecord;
  readonly isGood: boolean;
}

/**
 * The book of tokens as a running node knows it: what a command writes into it holds within half a second, or from the
 * next `refresh` on.
 *
 * While there was never a book everybody may ask. From the first token on nobody may without one, for as long as the
 * node runs: a book that is gone, damaged or open to others lets nobody in.
 */
export class TokenWatch {
  readonly #options: TokenWatchOptions;
  readonly #listeners = new Set<() => void>();
  #tokens: readonly (TokenRecord & { readonly bytes: Buffer })[] = [];
  #isOpen = true;
  #seen = "";
  #isTold = false;
  #timer: Timer | undefined;
  #reading = Promise.resolve();

  private constructor(options: TokenWatchOptions) {
    this.#options = options;
  }

  /** Read the book, and follow it. @throws {TokenError} as `TokenBook.read` */
  static async open(options: TokenWatchOptions): Promise<TokenWatch> {
    const watch = new TokenWatch(options);
    watch.#seen = fileVersion(options.book.file);
    watch.#take(await options.book.read());
    watch.#wait();
    return watch;
  }

  /** Whether everybody may ask: no token was ever made. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the book could be read: while it cannot be nobody is let in, and nobody's log-in is over. */
  get isRead(): boolean {
    return !this.#isTold;
  }

  /** Whose token a secret is; undefined for nobody's. Every token is compared, whichever it is. */
  find(secret: string): ShownToken | undefined {
    const hash = hashOf(secret);
    let found: TokenRecord | undefined;
    for (const token of this.#tokens) if (isSameHash(token.bytes, hash)) found = token;
    return found === undefined ? undefined : { record: found, isGood: this.#isGood(found) };
  }

  /** A token as it is now, by its hash; undefined when it is not good any more. */
  good(hash: string): TokenRecord | undefined {
    return this.#tokens.find((token) => token.hash === hash && this.#isGood(token));
  }

  /** Hear that tokens may have come or gone; also as time goes on, for they expire. @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Take what the file has by now. */
  async refresh(): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      const seen = fileVersion(this.#options.book.file);
      if (seen === this.#seen && !this.#isTold) return;
      this.#seen = seen;
      await this.#again();
    });
    await this.#reading;
  }

  /** Follow the book no more. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
    await this.#reading;
  }

  #isGood(token: TokenRecord): boolean {
    return isGood(token, this.#options.clock.unixUs() / 1000);
  }

  #wait(): void {
    this.#timer = this.#options.clock.setTimer(() => {
      void this.#follow();
    }, LOOK_MS);
  }

  async #follow(): Promise<void> {
    await this.refresh();
    for (const listener of this.#listeners) listener();
    if (this.#timer !== undefined) this.#wait();
  }

  async #again(): Promise<void> {
    const { book, logger } = this.#options;
    try {
      this.#take(await book.read());
      if (this.#isTold) logger.info({ file: book.file }, "the book of tokens can be read again");
      this.#isTold = false;
    } catch (error) {
      this.#tokens = [];
      this.#isOpen = false;
      const reason = error instanceof Error ? error.message : "it cannot be read";
      if (!this.#isTold) logger.error({ file: book.file, reason }, "nobody is let in: the book of tokens is damaged");
      this.#isTold = true;
    }
  }

  #take(tokens: readonly TokenRecord[] | undefined): void {
    const { book, logger } = this.#options;
    if (tokens === undefined && !this.#isOpen && this.#tokens.length > 0) {
      logger.error({ file: book.file }, "nobody is let in: the book of tokens is gone; restart to do without one");
    }
    if (tokens !== undefined) this.#isOpen = false;
    this.#tokens = (tokens ?? []).map((token) => ({ ...token, bytes: Buffer.from(token.hash, "hex") }));
  }
}
