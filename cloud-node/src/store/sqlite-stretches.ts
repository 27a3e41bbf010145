import type { DatabaseSync, StatementSync } from "node:sqlite";
import { deflateRawSync } from "node:zlib";
import { InvariantError } from "../invariant-error.ts";
import { packFrames, unpackFrames } from "./frame-pack.ts";
import type { StoredFrame, StoreRecord } from "./store.ts";
import { storeErrorOf } from "./store-error.ts";

type StretchRecord = Extract<StoreRecord, { table: "stretch" }>;
type TailRecord = Extract<StoreRecord, { table: "tail" }>;

/** Writes closed stretches, within the transaction that is open, and finds frames in their packs. */
export class SqliteStretches {
  readonly #insert: StatementSync;
  readonly #insertPack: StatementSync;
  readonly #frames: StatementSync;
  readonly #deleteFrames: StatementSync;
  readonly #start: StatementSync;
  readonly #packOf: StatementSync;
  readonly #putTail: StatementSync;
  readonly #deleteTail: StatementSync;

  constructor(database: DatabaseSync) {
    const place = "device = ? AND epoch = ?";
    this.#insert = database.prepare(
      "INSERT OR IGNORE INTO stretches (device, epoch, tier, from_seq, through_seq, from_us, to_us, samples, flagged, closed_us, levels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertPack = database.prepare("INSERT INTO packs (stretch, state, frames) VALUES (?, ?, ?)");
    const range = `${place} AND seq BETWEEN ? AND ?`;
    this.#frames = database.prepare(`SELECT seq, bytes FROM frames WHERE ${range} ORDER BY seq`);
    this.#deleteFrames = database.prepare(`DELETE FROM frames WHERE ${range}`);
    this.#start = database.prepare(`SELECT state FROM snapshots WHERE ${place} AND seq = ?`);
    // In its place, so that tails of many devices do not move about.
    this.#putTail = database.prepare(
      `INSERT INTO tails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, epoch) DO UPDATE SET
         from_seq = excluded.from_seq, next_seq = excluded.next_seq, from_us = excluded.from_us, to_us = excluded.to_us,
         samples = excluded.samples, flagged = excluded.flagged, frames = excluded.frames,
         frame_bytes = excluded.frame_bytes, work = excluded.work, levels = excluded.levels, state = excluded.state`,
    );
    this.#deleteTail = database.prepare(`DELETE FROM tails WHERE ${place} AND from_seq <= ?`);
    this.#packOf = database.prepare(
      `SELECT from_seq, frames FROM packs JOIN
         (SELECT id, from_seq, through_seq FROM stretches WHERE ${place} AND tier = 0 AND from_seq <= ?
          ORDER BY from_seq DESC LIMIT 1) ON stretch = id
       WHERE through_seq >= ?`,
    );
  }

  /** Write a stretch; the frames of one of tier 0 move into its pack. */
  write(record: StretchRecord): void {
    const { device, epoch, tier, from, through } = record;
    if (tier > 0) {
      this.#add(record);
      return;
    }
    this.#deleteTail.run(device, epoch, through);
    const frames: StoredFrame[] = this.#frames
      .all(device, epoch, from, through)
      .flatMap(({ seq, bytes }) => (typeof seq === "number" && bytes instanceof Uint8Array ? [{ seq, bytes }] : []));
    // Not what its level was made of: it stays with its frames alone, which say the same.
    if (frames.length < record.frames) return;
    const id = this.#add(record);
    if (id === undefined) return;
    const state = this.#start.get(device, epoch, from)?.state;
    const packed = state instanceof Uint8Array ? deflateRawSync(state) : new Uint8Array(0);
    this.#insertPack.run(id, packed, packFrames(from, frames));
    this.#deleteFrames.run(device, epoch, from, through);
  }

  writeTail(record: TailRecord): void {
    const { device, epoch, from, next, fromUs, toUs, samples, flagged, frames, frameBytes, work, levels, state } =
      record;
    const counts = [samples, flagged, frames, frameBytes, work];
    this.#putTail.run(device, epoch, from, next, fromUs, toUs, ...counts, levels, state);
  }

  /** The bytes of a frame whose stretch is closed; nothing, too, where they cannot be read any more. */
  frame(device: number, epoch: number, seq: number): Uint8Array | undefined {
    try {
      const row = this.#packOf.get(device, epoch, seq, seq);
      if (!(row?.frames instanceof Uint8Array) || typeof row.from_seq !== "number") return undefined;
      for (const frame of unpackFrames(row.from_seq, row.frames)) if (frame.seq === seq) return frame.bytes;
      return undefined;
    } catch (cause) {
      // A damaged page must not keep what comes from being stored.
      if (cause instanceof InvariantError || storeErrorOf(cause, "").code === "corrupt") return undefined;
      throw cause;
    }
  }

  #add(record: StretchRecord): number | bigint | undefined {
    const { device, epoch, tier, from, through, fromUs, toUs, samples, flagged, closedUs, levels } = record;
    const { changes, lastInsertRowid } = this.#insert.run(
      device,
      epoch,
      tier,
      from,
      through,
      fromUs,
      toUs,
      samples,
      flagged,
      closedUs,
      levels,
    );
    return changes === 1 ? lastInsertRowid : undefined;
  }
}
