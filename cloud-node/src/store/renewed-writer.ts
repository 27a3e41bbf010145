import type { SqliteWriter } from "./sqlite-writer.ts";
import { storeErrorOf } from "./store-error.ts";

/**
 * The connection that writes, made anew where it cannot: SQLite opens for reading what it cannot open for writing, and
 * keeps to that for as long as the connection lives, though the disk may long be well again.
 */
export class RenewedWriter {
  readonly #open: () => SqliteWriter;
  #writer: SqliteWriter | undefined;

  /** @throws {StoreError} when it cannot be opened */
  constructor(open: () => SqliteWriter) {
    this.#open = open;
    this.#writer = open();
  }

  /** @throws whatever `act` throws, or the opening of a new connection */
  use<T>(act: (writer: SqliteWriter) => T): T {
    this.#writer ??= this.#open();
    try {
      return act(this.#writer);
    } catch (cause) {
      if (storeErrorOf(cause, "").code === "read-only") this.#giveUp();
      throw cause;
    }
  }

  /** Whoever asked hears why it could not be written, and not what came of the end of it. */
  #giveUp(): void {
    try {
      this.close();
    } catch {}
  }

  close(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.close();
  }
}
