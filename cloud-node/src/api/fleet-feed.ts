import type { FleetPage, FleetRow, FleetSummary } from "./schemas/fleet-schema.ts";

/** A row of which only what changed is there; its id always is. */
export type FleetRowChange = Pick<FleetRow, "id"> & Partial<FleetRow>;

/** What changed on a page of the table since the message before; the first one is whole. */
export interface FleetUpdate {
  readonly isWhole: boolean;
  readonly summary: FleetSummary;
  readonly matched: number;
  readonly page: number;
  readonly pages: number;
  /** Rows shown, in order: a device that is not among them any more is forgotten. */
  readonly ids: readonly string[];
  /** A row that was not shown before is whole. */
  readonly rows: readonly FleetRowChange[];
}

/** Follows one page of the table, and says what is new. */
export class FleetFeed {
  #sent: ReadonlyMap<string, FleetRow> | undefined;

  next({ summary, matched, page, pages, rows }: FleetPage): FleetUpdate {
    const sent = this.#sent;
    this.#sent = new Map(rows.map((row) => [row.id, row]));
    const changes = rows.flatMap((row) => {
      const before = sent?.get(row.id);
      if (before === undefined) return [row];
      const change = changed(before, row);
      return Object.keys(change).length > 1 ? [change] : [];
    });
    return { isWhole: sent === undefined, summary, matched, page, pages, ids: rows.map(({ id }) => id), rows: changes };
  }
}

function changed(before: FleetRow, now: FleetRow): FleetRowChange {
  const fields = Object.entries(now).filter(([name, value]) => {
    const old = before[name as keyof FleetRow];
    if (old === value) return false;
    return typeof value !== "object" || value === null || JSON.stringify(old) !== JSON.stringify(value);
  });
  return { ...Object.fromEntries(fields), id: now.id };
}

/** Put an update to what a reader has of the table. */
export function applyFleetUpdate(before: FleetPage | undefined, update: FleetUpdate): FleetPage {
  const known = new Map(update.isWhole ? [] : before?.rows.map((row) => [row.id, row]));
  for (const row of update.rows) known.set(row.id, { ...known.get(row.id), ...row } as FleetRow);
  const rows = update.ids.flatMap((id) => known.get(id) ?? []);
  const { summary, matched, page, pages } = update;
  return { summary, matched, page, pages, rows };
}
