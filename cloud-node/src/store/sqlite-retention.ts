import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RetentionReport, RetentionRules } from "./retention.ts";
import { integer, type Row } from "./sqlite-row.ts";
import type { SqliteTraffic } from "./sqlite-traffic.ts";

/** Stretches of one transaction: some milliseconds, which a commit may have to wait. */
const STRETCHES_AT_ONCE = 8;
/** Loose frames of one transaction. */
const FRAMES_AT_ONCE = 2_000;
/** Free pages given back to the system in one transaction. */
const PAGES_AT_ONCE = 256;
/** Free pages up to this part of the file are left for what comes next. */
const FREE_SHARE = 1 / 16;
const US_PER_MINUTE = 60_000_000;
const PLACE = "device = ? AND epoch = ?";

/**
 * Deletes the oldest stretches with their levels and snapshots, and gives their pages back, in steps between which
 * commits go on. What is deleted is written down in the same transaction, so that a read can say from when on history is
 * kept. Epochs lose their oldest frames first, whatever their clocks say.
 */
export class SqliteRetention {
  readonly #database: DatabaseSync;
  readonly #traffic: SqliteTraffic;
  readonly #oldest: StatementSync;
  readonly #statements = new Map<string, StatementSync>();
  #stretches = 0;
  #pagesBefore: number | undefined;
  /** Key of the device up to which costs were forgotten; undefined: of all. */
  #idleAfter: number | undefined = 0;

  constructor(database: DatabaseSync, traffic: SqliteTraffic) {
    this.#database = database;
    this.#traffic = traffic;
    this.#oldest = database.prepare(
      "SELECT device, epoch, through_seq, closed_us FROM stretches WHERE tier = 0 ORDER BY closed_us, id LIMIT 1",
    );
  }

  /** Do the next step. @returns what all steps did, once there is nothing left to do */
  step(rules: RetentionRules): RetentionReport | undefined {
    this.#pagesBefore ??= this.#pragma("page_count");
    if (this.#transaction(() => this.#expireSome(rules))) return undefined;
    if (this.#transaction(() => this.#forgetIdle(rules))) return undefined;
    const [pages, free] = [this.#pragma("page_count"), this.#pragma("freelist_count")];
    if (free > pages * FREE_SHARE) {
      this.#database.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
      // A store that was made before pages could be given back keeps them for later frames.
      if (this.#pragma("page_count") < pages) return undefined;
    }
    const freedPages = Math.max(0, this.#pagesBefore - this.#pragma("page_count"));
    const report = { stretches: this.#stretches, freedBytes: freedPages * this.#pragma("page_size") };
    this.#stretches = 0;
    this.#pagesBefore = undefined;
    this.#idleAfter = 0;
    return report;
  }

  /** Devices that only say that they are there cost too. @returns whether there may be more */
  #forgetIdle(rules: RetentionRules): boolean {
    const beforeUs = Math.max(rules.closedBeforeUs ?? 0, this.#keptFromUs(rules));
    if (beforeUs === 0 || this.#idleAfter === undefined) return false;
    this.#idleAfter = this.#traffic.forgetIdle(this.#idleAfter, Math.floor(beforeUs / US_PER_MINUTE));
    return this.#idleAfter !== undefined;
  }

  /** When the oldest stretch was closed that the size leaves; 0 where it leaves all, or none. */
  #keptFromUs({ maxBytes }: RetentionRules): number {
    if (maxBytes === undefined || this.#run("SELECT 1 FROM expiries LIMIT 1").get() === undefined) return 0;
    const oldest = this.#oldest.get();
    return oldest === undefined ? 0 : integer(oldest, "closed_us");
  }

  /** @returns whether there may be more */
  #expireSome({ closedBeforeUs, maxBytes }: RetentionRules): boolean {
    for (let i = 0; i < STRETCHES_AT_ONCE; i++) {
      const oldest = this.#oldest.get();
      if (oldest === undefined) return false;
      const isOld = closedBeforeUs !== undefined && integer(oldest, "closed_us") < closedBeforeUs;
      const isTooMuch = maxBytes !== undefined && this.#usedBytes() > maxBytes;
      if (!isOld && !isTooMuch) return false;
      if (!this.#expire(oldest)) return true;
    }
    return true;
  }

  /** Delete an epoch's frames up to the end of a stretch. @returns false when only loose ones before it were */
  #expire(stretch: Row): boolean {
    const place = [integer(stretch, "device"), integer(stretch, "epoch")] as const;
    const through = integer(stretch, "through_seq");
    const loose = this.#run(`SELECT seq FROM frames WHERE ${PLACE} AND seq <= ? ORDER BY seq LIMIT 1 OFFSET ?`);
    const many = loose.get(...place, through, FRAMES_AT_ONCE);
    const end = many === undefined ? through : integer(many, "seq") - 1;
    this.#run(`DELETE FROM frames WHERE ${PLACE} AND seq <= ?`).run(...place, end);
    this.#run(
      "INSERT INTO expiries VALUES (?, ?, ?) ON CONFLICT (device, epoch) DO UPDATE SET through_seq = max(through_seq, excluded.through_seq)",
    ).run(...place, end);
    if (many !== undefined) return false;
    const doomed = `FROM stretches WHERE ${PLACE} AND from_seq <= ?`;
    this.#run(`DELETE FROM packs WHERE stretch IN (SELECT id ${doomed} AND tier = 0)`).run(...place, through);
    // Those of higher tiers, too, whose oldest part is gone: the tiers below say the rest.
    this.#run(`DELETE ${doomed}`).run(...place, through);
    // What came before it was closed is what it was made of, or what went before.
    this.#traffic.forgetBefore(place[0], Math.floor(integer(stretch, "closed_us") / US_PER_MINUTE));
    this.#stretches += 1;
    this.#forgetBefore(place);
    return true;
  }

  /**
   * Epochs before this one of which nothing is left need no snapshot. The newest one may still grow, and so may one whose
   * last frames wait in the device's ring while the next boot has begun: without its snapshot they could not be read.
   */
  #forgetBefore(place: readonly [number, number]): void {
    for (const table of ["snapshots", "tails"]) {
      const noneOf = (kept: string) =>
        `NOT EXISTS (SELECT 1 FROM ${kept} WHERE ${kept}.device = ${table}.device AND ${kept}.epoch = ${table}.epoch)`;
      this.#run(
        `DELETE FROM ${table} WHERE device = ? AND epoch < ? AND ${noneOf("stretches")} AND ${noneOf("frames")}`,
      ).run(...place);
    }
  }

  #usedBytes(): number {
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pragma("page_size");
  }

  #pragma(name: string): number {
    const row = this.#run(`PRAGMA ${name}`).get();
    return row === undefined ? 0 : integer(row, name);
  }

  #run(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }
}
