import type { DatabaseSync, StatementSync } from "node:sqlite";
import { inflateRawSync } from "node:zlib";
import { LAST_SEQ } from "@lockstep/protocol";
import { unpackFrames } from "./frame-pack.ts";
import { openForReading } from "./sqlite-open.ts";
import { blob, integer, type Row, text } from "./sqlite-row.ts";
import { sumTraffic } from "./sqlite-traffic.ts";
import type {
  GapReason,
  StoredDevice,
  StoredEpoch,
  StoredExpiry,
  StoredFrame,
  StoredGap,
  StoredModule,
  StoredSnapshot,
  StoredStretch,
  StoredTail,
  StoreReader,
  TrafficSum,
} from "./store.ts";
import { StoreError, storeErrorOf } from "./store-error.ts";

/** Loose frames that are read at a time: a query that stayed open would keep the log from being emptied. */
const FRAMES_AT_ONCE = 512;
const PLACE = "device = ? AND epoch = ?";
const STRETCHES = `SELECT * FROM stretches WHERE ${PLACE} AND tier = ?`;

interface FramePart {
  readonly frames: Iterable<StoredFrame>;
  readonly next: number;
}

/** Reads of a store file, beside the writer's connection or without one. */
export class SqliteReader implements StoreReader {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #isOpen = true;

  /** @throws {StoreError} when `file` is not a store of this release */
  constructor(file: string) {
    this.#file = file;
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
    const row = this.#get("SELECT bytes FROM births WHERE device = ? AND hash = ?", device, hash);
    return row === undefined ? undefined : blob(row, "bytes");
  }

  *frames(device: number, epoch: number, from: number, through = LAST_SEQ): Iterable<StoredFrame> {
    for (let next = from; next <= through; ) {
      const part = this.#atOneMoment(() => this.#part(device, epoch, next, through));
      yield* part.frames;
      next = part.next;
    }
  }

  hasLooseFrames(device: number, epoch: number, most: number): boolean {
    return this.#get(`SELECT 1 FROM frames WHERE ${PLACE} LIMIT 1 OFFSET ?`, device, epoch, most) !== undefined;
  }

  snapshot(device: number, epoch: number): StoredSnapshot | undefined {
    const row = this.#get(`SELECT seq, state FROM snapshots WHERE ${PLACE}`, device, epoch);
    return row === undefined ? undefined : { seq: integer(row, "seq"), state: blob(row, "state") };
  }

  stretchStart(device: number, epoch: number, from: number): StoredSnapshot | undefined {
    const row = this.#get(
      `SELECT state FROM stretches JOIN packs ON stretch = id WHERE ${PLACE} AND tier = 0 AND from_seq = ?`,
      device,
      epoch,
      from,
    );
    const packed = row === undefined ? undefined : blob(row, "state");
    if (packed === undefined || packed.length === 0) return undefined;
    try {
      return { seq: from, state: inflateRawSync(packed) };
    } catch (cause) {
      const detail = `the state before frame ${from} of epoch ${epoch} cannot be unpacked`;
      throw new StoreError("corrupt", { file: this.#file, detail }, { cause });
    }
  }

  stretches(device: number, epoch: number, tier: number, from: number, through = LAST_SEQ): StoredStretch[] {
    const range = `${STRETCHES} AND from_seq BETWEEN ? AND ? ORDER BY from_seq`;
    const [ascending, descending] = [this.#prepared(range), this.#prepared(`${range} DESC`)];
    const values = [device, epoch, tier, from, through];
    const rows: Row[] = [];
    try {
      for (const row of ascending.iterate(...values)) rows.push(row);
      return rows.map(stretchOf);
    } catch (cause) {
      if (storeErrorOf(cause, this.#file).code !== "corrupt") throw storeErrorOf(cause, this.#file);
    }
    // Up to the damage, and back to it from the other end.
    const behind: Row[] = [];
    try {
      for (const row of descending.iterate(...values)) behind.push(row);
    } catch (cause) {
      if (storeErrorOf(cause, this.#file).code !== "corrupt") throw storeErrorOf(cause, this.#file);
    }
    return [...rows, ...behind.reverse()].map(stretchOf);
  }

  lastStretch(device: number, epoch: number, tier: number): StoredStretch | undefined {
    const row = this.#get(`${STRETCHES} ORDER BY from_seq DESC LIMIT 1`, device, epoch, tier);
    return row === undefined ? undefined : stretchOf(row);
  }

  topTier(device: number, epoch: number): number | undefined {
    const row = this.#get(`SELECT max(tier) AS top FROM stretches WHERE ${PLACE}`, device, epoch);
    return typeof row?.top === "number" ? row.top : undefined;
  }

  tail(device: number, epoch: number): StoredTail | undefined {
    const row = this.#get(`SELECT * FROM tails WHERE ${PLACE}`, device, epoch);
    if (row === undefined) return undefined;
    return {
      epoch,
      from: integer(row, "from_seq"),
      next: integer(row, "next_seq"),
      fromUs: integer(row, "from_us"),
      toUs: integer(row, "to_us"),
      samples: integer(row, "samples"),
      flagged: integer(row, "flagged"),
      frames: integer(row, "frames"),
      frameBytes: integer(row, "frame_bytes"),
      work: integer(row, "work"),
      levels: blob(row, "levels"),
      state: blob(row, "state"),
    };
  }

  expiries(device: number): StoredExpiry[] {
    return this.#all("SELECT epoch, through_seq FROM expiries WHERE device = ? ORDER BY epoch", device).map((row) => ({
      epoch: integer(row, "epoch"),
      through: integer(row, "through_seq"),
    }));
  }

  gaps(device: number): StoredGap[] {
    return this.#all("SELECT * FROM gaps WHERE device = ? ORDER BY epoch, from_seq", device).map(gapOf);
  }

  gapsAfter(device: number, after: Pick<StoredGap, "epoch" | "from"> | undefined, most: number): StoredGap[] {
    const { epoch, from } = after ?? { epoch: -1, from: 0 };
    const behind =
      "SELECT * FROM gaps WHERE device = ? AND (epoch, from_seq) > (?, ?) ORDER BY epoch, from_seq LIMIT ?";
    return this.#all(behind, device, epoch, from, most).map(gapOf);
  }

  gapTotals(device: number): { readonly gaps: number; readonly samples: number } {
    const row = this.#get("SELECT count(*) AS gaps, total(samples) AS samples FROM gaps WHERE device = ?", device);
    return row === undefined
      ? { gaps: 0, samples: 0 }
      : { gaps: integer(row, "gaps"), samples: integer(row, "samples") };
  }

  traffic(device: number, from: number, to: number): TrafficSum {
    return this.#atOneMoment(() => {
      const ends = "SELECT min(slot) AS oldest, max(slot) AS newest FROM traffic WHERE device = ? AND minutes = 1";
      const row = this.#get(ends, device);
      const [oldest, newest] = [row?.oldest, row?.newest];
      const isAny = typeof oldest === "number" && typeof newest === "number";
      // The hour and the day in which the oldest minute lies count forgotten ones too.
      const first = isAny ? Math.max(from, oldest) : from;
      const total = sumTraffic((sql, ...values) => this.#get(sql, ...values), device, first, to);
      return { total, minutes: isAny ? { oldest, newest } : undefined };
    });
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

  /** The next frames, from a pack or loose, and the seq to go on from. */
  #part(device: number, epoch: number, next: number, through: number): FramePart {
    const tier = `${PLACE} AND tier = 0 AND from_seq`;
    const before = `SELECT id, from_seq, through_seq FROM stretches WHERE ${tier} <= ? ORDER BY from_seq DESC LIMIT 1`;
    const stretch = this.#get(before, device, epoch, next);
    const end = stretch === undefined ? -1 : integer(stretch, "through_seq");
    if (stretch !== undefined && end >= next) {
      const pack = this.#get("SELECT frames FROM packs WHERE stretch = ?", integer(stretch, "id"));
      const frames = pack === undefined ? [] : unpackFrames(integer(stretch, "from_seq"), blob(pack, "frames"));
      return { frames: inRange(frames, next, through), next: end + 1 };
    }
    const after = this.#get(`SELECT min(from_seq) AS seq FROM stretches WHERE ${tier} > ?`, device, epoch, next);
    const last = Math.min(typeof after?.seq === "number" ? after.seq - 1 : LAST_SEQ, through);
    const rows = this.#all(
      `SELECT seq, bytes FROM frames WHERE ${PLACE} AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ${FRAMES_AT_ONCE}`,
      device,
      epoch,
      next,
      last,
    );
    const frames = rows.map((row) => ({ seq: integer(row, "seq"), bytes: blob(row, "bytes") }));
    const newest = frames.at(-1);
    const isCut = newest !== undefined && frames.length === FRAMES_AT_ONCE;
    return { frames, next: isCut ? newest.seq + 1 : last + 1 };
  }

  /** Several queries that see the same state, also while frames move into a pack. */
  #atOneMoment<T>(read: () => T): T {
    this.#database.exec("BEGIN");
    try {
      const found = read();
      this.#database.exec("COMMIT");
      return found;
    } catch (cause) {
      // SQLite may have ended it, where the file is damaged.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw storeErrorOf(cause, this.#file);
    }
  }

  #all(sql: string, ...values: (number | string)[]): Row[] {
    try {
      return this.#prepared(sql).all(...values);
    } catch (cause) {
      throw storeErrorOf(cause, this.#file);
    }
  }

  #get(sql: string, ...values: (number | string)[]): Row | undefined {
    try {
      return this.#prepared(sql).get(...values);
    } catch (cause) {
      throw storeErrorOf(cause, this.#file);
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function gapOf(row: Row): StoredGap {
  return {
    epoch: integer(row, "epoch"),
    from: integer(row, "from_seq"),
    through: integer(row, "through_seq"),
    reason: text(row, "reason") as GapReason,
    samples: integer(row, "samples"),
    times: row.to_us === null ? undefined : { fromUs: integer(row, "from_us"), toUs: integer(row, "to_us") },
  };
}

function stretchOf(row: Row): StoredStretch {
  return {
    epoch: integer(row, "epoch"),
    tier: integer(row, "tier"),
    from: integer(row, "from_seq"),
    through: integer(row, "through_seq"),
    fromUs: integer(row, "from_us"),
    toUs: integer(row, "to_us"),
    samples: integer(row, "samples"),
    flagged: integer(row, "flagged"),
    levels: blob(row, "levels"),
  };
}

function* inRange(frames: Iterable<StoredFrame>, from: number, through: number): Generator<StoredFrame> {
  for (const frame of frames) if (frame.seq >= from && frame.seq <= through) yield frame;
}
