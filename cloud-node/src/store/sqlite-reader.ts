import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { InvariantError } from "../invariant-error.ts";
import { openForReading } from "./sqlite-open.ts";
import type {
  GapReason,
  StoredDevice,
  StoredEpoch,
  StoredFrame,
  StoredGap,
  StoredModule,
  StoredSnapshot,
  StoreReader,
} from "./store.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Reads of a store file, beside the writer's connection or without one. */
export class SqliteReader implements StoreReader {
  readonly #database: DatabaseSync;
  #isOpen = true;

  /** @throws {StoreError} when `file` is not a store of this release */
  constructor(file: string) {
    this.#database = openForReading(file);
  }

  devices(): StoredDevice[] {
    return this.#all("SELECT id, key FROM devices ORDER BY key").map((row) => ({
      id: text(row, "id"),
      key: integer(row, "key"),
    }));
  }

  epochs(device: number): StoredEpoch[] {
    return this.#all("SELECT epoch, nonce, birth, opened_us FROM epochs WHERE device = ? ORDER BY epoch", device).map(
      (row) => ({
        epoch: integer(row, "epoch"),
        nonce: integer(row, "nonce"),
        birthHash: text(row, "birth"),
        openedUs: integer(row, "opened_us"),
      }),
    );
  }

  birth(device: number, hash: string): Uint8Array | undefined {
    const row = this.#database.prepare("SELECT bytes FROM births WHERE device = ? AND hash = ?").get(device, hash);
    return row === undefined ? undefined : blob(row, "bytes");
  }

  *frames(device: number, epoch: number, from: number): Iterable<StoredFrame> {
    const rows = this.#database
      .prepare("SELECT seq, bytes FROM frames WHERE device = ? AND epoch = ? AND seq >= ? ORDER BY seq")
      .iterate(device, epoch, from);
    for (const row of rows) yield { seq: integer(row, "seq"), bytes: blob(row, "bytes") };
  }

  snapshot(device: number, epoch: number): StoredSnapshot | undefined {
    const row = this.#database
      .prepare("SELECT seq, state FROM snapshots WHERE device = ? AND epoch = ?")
      .get(device, epoch);
    return row === undefined ? undefined : { seq: integer(row, "seq"), state: blob(row, "state") };
  }

  gaps(device: number): StoredGap[] {
    return this.#all(
      "SELECT epoch, from_seq, through_seq, reason, samples FROM gaps WHERE device = ? ORDER BY epoch, from_seq",
      device,
    ).map((row) => ({
      epoch: integer(row, "epoch"),
      from: integer(row, "from_seq"),
      through: integer(row, "through_seq"),
      reason: text(row, "reason") as GapReason,
      samples: integer(row, "samples"),
    }));
  }

  modules(): StoredModule[] {
    return this.#all("SELECT hash, wasm, source FROM modules ORDER BY hash").map((row) => ({
      hash: text(row, "hash"),
      wasm: blob(row, "wasm"),
      source: text(row, "source"),
    }));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#database.close();
  }

  #all(sql: string, ...values: number[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }
}

function integer(row: Row, name: string): number {
  const value = row[name];
  if (typeof value !== "number") throw new InvariantError(`store column ${name} is not an integer`);
  return value;
}

function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== "string") throw new InvariantError(`store column ${name} is not text`);
  return value;
}

function blob(row: Row, name: string): Uint8Array {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw new InvariantError(`store column ${name} is not a blob`);
  return value;
}
