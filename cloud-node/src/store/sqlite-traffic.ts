import type { DatabaseSync, StatementSync } from "node:sqlite";
import { integer, type Row } from "./sqlite-row.ts";
import type { StoredTraffic, StoreRecord } from "./store.ts";

type TrafficRecord = Extract<StoreRecord, { table: "traffic" }>;

/** A slot is a minute, an hour or a day; each kind holds everything, so that a sum over years reads some hundred rows. */
const WIDTHS = [1, 60, 1_440] as const;
/** Columns, in the order of the fields below. */
const COLUMNS = [
  "samples",
  "vals",
  "messages",
  "payload",
  "frame",
  "socket",
  "packets",
  "counted_payload",
  "counted_vals",
] as const;
const FIELDS = [
  "samples",
  "values",
  "messages",
  "payloadBytes",
  "frameBytes",
  "socketBytes",
  "packets",
  "countedPayloadBytes",
  "countedValues",
] as const satisfies readonly (keyof StoredTraffic)[];

/** Devices looked through in one transaction for what is not kept any more. */
const DEVICES_AT_ONCE = 64;

/** Writes what devices cost, within the transaction that is open. */
export class SqliteTraffic {
  readonly #add: StatementSync;
  readonly #delete: StatementSync;
  readonly #idle: StatementSync;

  constructor(database: DatabaseSync) {
    const sums = COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`).join(", ");
    this.#add = database.prepare(
      `INSERT INTO traffic VALUES (?, ?, ?, ${COLUMNS.map(() => "?").join(", ")})
       ON CONFLICT (device, minutes, slot) DO UPDATE SET ${sums}`,
    );
    this.#delete = database.prepare("DELETE FROM traffic WHERE device = ? AND minutes = ? AND slot <= ?");
    this.#idle = database.prepare(
      `SELECT key FROM devices WHERE key > ?
       AND EXISTS (SELECT 1 FROM traffic WHERE traffic.device = key AND minutes = 1 AND slot < ?)
       AND NOT EXISTS (SELECT 1 FROM stretches WHERE stretches.device = key)
       ORDER BY key LIMIT ${DEVICES_AT_ONCE}`,
    );
  }

  /** Add to what is written of this minute. */
  add(record: TrafficRecord): void {
    const counts = FIELDS.map((field) => record[field]);
    for (const width of WIDTHS) this.#add.run(record.device, width, startOf(record.minute, width), ...counts);
  }

  /** Forget what a device cost before a minute. */
  forgetBefore(device: number, minute: number): void {
    for (const width of WIDTHS) this.#delete.run(device, width, minute - width);
  }

  /**
   * Forget what devices cost before a minute of which no stretch is kept that would say so when it goes: some at a time.
   *
   * @param after  key of the last device that was looked at; 0 to begin
   * @returns where to go on; undefined when all were looked at
   */
  forgetIdle(after: number, minute: number): number | undefined {
    const keys = this.#idle.all(after, minute).map((row) => integer(row, "key"));
    for (const key of keys) this.forgetBefore(key, minute);
    return keys.length < DEVICES_AT_ONCE ? undefined : keys.at(-1);
  }
}

/**
 * Add up what was written.
 *
 * @param get  asks for one row
 * @param from  first minute; `to`: the one after the last
 */
export function sumTraffic(
  get: (sql: string, ...values: number[]) => Row | undefined,
  device: number,
  from: number,
  to: number,
): StoredTraffic {
  const sums = COLUMNS.map((column) => `coalesce(sum(${column}), 0) AS ${column}`).join(", ");
  const sql = `SELECT ${sums} FROM traffic WHERE device = ? AND minutes = ? AND slot >= ? AND slot < ?`;
  const total = Object.fromEntries(FIELDS.map((field) => [field, 0])) as Record<keyof StoredTraffic, number>;
  for (const part of coverMinutes(from, to)) {
    const row = get(sql, device, part.width, part.from, part.to);
    if (row === undefined) continue;
    for (const [i, field] of FIELDS.entries()) total[field] += integer(row, COLUMNS[i] ?? "samples");
  }
  return total;
}

interface Slots {
  readonly width: number;
  readonly from: number;
  readonly to: number;
}

/** Whole days within a range, hours beside them, and minutes beside those. */
function coverMinutes(from: number, to: number, kind: number = WIDTHS.length - 1): Slots[] {
  const width = WIDTHS[kind];
  if (width === undefined || from >= to) return [];
  const [first, end] = [startOf(from + width - 1, width), startOf(to, width)];
  if (first >= end) return coverMinutes(from, to, kind - 1);
  return [...coverMinutes(from, first, kind - 1), { width, from: first, to: end }, ...coverMinutes(end, to, kind - 1)];
}

function startOf(minute: number, width: number): number {
  return Math.floor(minute / width) * width;
}
