import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openForWriting } from "./sqlite-open.ts";
import { SqliteRetention } from "./sqlite-retention.ts";
import { SqliteStretches } from "./sqlite-stretches.ts";
import { SqliteTraffic } from "./sqlite-traffic.ts";
import { FRAME_FIELDS, FRAME_OPS, FRAME_VERDICTS, type StoreBatch, type StoreRecord } from "./store.ts";

const OP_CHECK = FRAME_OPS.indexOf("check");
const DUPLICATE = FRAME_VERDICTS.indexOf("duplicate");
const CONFLICT = FRAME_VERDICTS.indexOf("conflict");
const ABSENT = FRAME_VERDICTS.indexOf("absent");

/** The one connection that writes. Lives in the commit worker, because a commit waits for the disk. */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #addFrame: StatementSync;
  readonly #storedFrame: StatementSync;
  readonly #stretches: SqliteStretches;
  readonly #traffic: SqliteTraffic;
  readonly retention: SqliteRetention;

  /**
   * @param maxPages  refuse to grow past so many database pages, 0 for no limit; stands in for a full disk in tests
   * @throws {StoreError} when the file cannot be opened
   */
  constructor(file: string, maxPages: number) {
    this.#database = openForWriting(file);
    try {
      if (maxPages > 0) this.#database.exec(`PRAGMA max_page_count = ${maxPages}`);
      this.#addFrame = this.#database.prepare("INSERT OR IGNORE INTO frames VALUES (?, ?, ?, ?)");
      this.#storedFrame = this.#database.prepare("SELECT bytes FROM frames WHERE device = ? AND epoch = ? AND seq = ?");
      this.#stretches = new SqliteStretches(this.#database);
      this.#traffic = new SqliteTraffic(this.#database);
      this.retention = new SqliteRetention(this.#database, this.#traffic);
    } catch (cause) {
      this.#database.close();
      throw cause;
    }
  }

  /**
   * Write a batch as one transaction.
   *
   * @returns shape (nExceptions, 2): row of the batch, index into FRAME_VERDICTS
   * @throws whatever SQLite throws; nothing was written then
   */
  write(batch: StoreBatch): Uint32Array<ArrayBuffer> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      // Frames first: a stretch is packed from what is stored.
      const exceptions = this.#writeFrames(batch);
      for (const record of batch.records) this.#writeRecord(record);
      this.#database.exec("COMMIT");
      return exceptions;
    } catch (cause) {
      // A full disk makes SQLite roll back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  close(): void {
    this.#database.close();
  }

  #writeFrames({ frames, bytes }: StoreBatch): Uint32Array<ArrayBuffer> {
    const exceptions: number[] = [];
    let offset = 0;
    for (let row = 0, at = 0; at < frames.length; row++, at += FRAME_FIELDS) {
      const [op = 0, device = 0, epoch = 0, seq = 0, length = 0] = frames.subarray(at, at + FRAME_FIELDS);
      const frame = bytes.subarray(offset, offset + length);
      offset += length;
      if (op !== OP_CHECK && this.#addFrame.run(device, epoch, seq, frame).changes === 1) continue;
      exceptions.push(row, this.#compare(device, epoch, seq, frame));
    }
    return Uint32Array.from(exceptions);
  }

  #compare(device: number, epoch: number, seq: number, frame: Uint8Array): number {
    const stored = this.#storedFrame.get(device, epoch, seq)?.bytes ?? this.#stretches.frame(device, epoch, seq);
    if (!(stored instanceof Uint8Array)) return ABSENT;
    return Buffer.compare(stored, frame) === 0 ? DUPLICATE : CONFLICT;
  }

  #writeRecord(record: StoreRecord): void {
    switch (record.table) {
      case "device":
        this.#run("INSERT OR IGNORE INTO devices (key, id) VALUES (?, ?)", record.key, record.id);
        return;
      case "birth":
        this.#run("INSERT OR IGNORE INTO births VALUES (?, ?, ?)", record.device, record.hash, record.bytes);
        return;
      case "epoch":
        this.#run(
          "INSERT OR IGNORE INTO epochs VALUES (?, ?, ?, ?, ?)",
          record.device,
          record.epoch,
          record.nonce,
          record.birthHash,
          record.openedUs,
        );
        return;
      case "gap":
        this.#run(
          "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          record.device,
          record.epoch,
          record.from,
          record.through,
          record.reason,
          record.samples,
          record.times?.fromUs ?? null,
          record.times?.toUs ?? null,
        );
        return;
      case "snapshot":
        this.#run(
          "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
          record.device,
          record.epoch,
          record.seq,
          record.state,
        );
        return;
      case "stretch":
        this.#stretches.write(record);
        return;
      case "tail":
        this.#stretches.writeTail(record);
        return;
      case "traffic":
        this.#traffic.add(record);
        return;
      case "module":
        this.#run("INSERT OR IGNORE INTO modules VALUES (?, ?, ?)", record.hash, record.wasm, record.source);
        return;
    }
  }

  #run(sql: string, ...values: (number | string | Uint8Array | null)[]): void {
    this.#database.prepare(sql).run(...values);
  }
}
