import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Logger } from "../../logger.ts";

/** Beside the store. */
const SUFFIX = ".sparkplug";
const NUMBERS = 256;

/**
 * The number that ties a birth to its death: 0 at first, one more for every connection, 255 is followed by 0. It goes on
 * after a restart, so that the death of a connection from before, told late by the broker, ends nothing of now.
 */
export class BirthDeathNumber {
  readonly #file: string;
  readonly #logger: Logger;
  #next: number;

  /** @param storeFile  of the node */
  constructor(storeFile: string, logger: Logger) {
    this.#file = `${storeFile}${SUFFIX}`;
    this.#logger = logger;
    this.#next = this.#read();
  }

  /** The number of another connection; written down before it is used. */
  take(): number {
    const number = this.#next;
    this.#next = (number + 1) % NUMBERS;
    const partial = `${this.#file}.part`;
    try {
      writeFileSync(partial, `${this.#next}\n`, { flush: true });
      renameSync(partial, this.#file);
    } catch (error) {
      rmSync(partial, { force: true });
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.warn(
        { file: this.#file, reason },
        "re-publishing: bdSeq is not kept, and begins anew after a restart",
      );
    }
    return number;
  }

  #read(): number {
    try {
      const text = readFileSync(this.#file, "utf8").trim();
      if (/^\d{1,3}$/.test(text) && Number(text) < NUMBERS) return Number(text);
      this.#logger.warn({ file: this.#file }, "re-publishing: bdSeq is unreadable, and begins anew");
    } catch (error) {
      const isNew = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isNew) this.#logger.warn({ file: this.#file }, "re-publishing: bdSeq cannot be read, and begins anew");
    }
    return 0;
  }
}
