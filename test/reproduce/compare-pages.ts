import { numberIn, type ResultPage, type ResultTable } from "./result-page.ts";
import { isHeld, type Steadiness, steadinessOf } from "./steadiness.ts";

/** A cell that is not what the kept page says. */
export interface Departure {
  /** Page, table, row, column. */
  readonly place: string;
  readonly stated: string;
  readonly measured: string;
  readonly steadiness: Steadiness;
  /** How far it is from what is stated, as a part of it; nothing where one of the two is no number. */
  readonly distance: number | undefined;
}

/** What came of holding a page against the one that is kept. */
export interface PageComparison {
  readonly cells: number;
  readonly departures: readonly Departure[];
  /** Rows of the kept page that were not measured now. */
  readonly rowsMissing: readonly string[];
}

/**
 * Hold a page that was measured now against the one that is kept, cell by cell. Rows belong together that begin alike:
 * with as many cells as it takes to tell those of the kept page apart.
 *
 * @param name  of the page
 * @param only  places that are compared; all of them where it is left out
 */
export function comparePages(name: string, kept: ResultPage, measured: ResultPage, only?: RegExp): PageComparison {
  const departures: Departure[] = [];
  const rowsMissing: string[] = [];
  let cells = 0;
  for (const table of kept.tables) {
    const other = measured.tables.find((each) => each.name === table.name);
    const keys = keyLength(table);
    for (const row of table.rows) {
      const key = row.slice(0, keys).join(" & ");
      const now = other?.rows.find((each) => each.slice(0, keys).join(" & ") === key);
      const place = `${table.name} › ${key}`;
      if (other === undefined || now === undefined) {
        if (only === undefined || only.test(place)) rowsMissing.push(`${name} › ${place}`);
        continue;
      }
      for (const [at, column] of table.columns.entries()) {
        if (at < keys) continue;
        const path = `${place} › ${column}`;
        if (only !== undefined && !only.test(path)) continue;
        const found = compareCells(name, path, row[at] ?? "", now[other.columns.indexOf(column)] ?? "");
        if (found === "unheld") continue;
        cells += 1;
        if (found !== undefined) departures.push(found);
      }
    }
  }
  return { cells, departures, rowsMissing };
}

/** How many of a table's first cells tell its rows apart. */
function keyLength({ columns, rows }: ResultTable): number {
  for (let length = 1; length < columns.length; length++) {
    if (new Set(rows.map((row) => row.slice(0, length).join(" & "))).size === rows.length) return length;
  }
  return columns.length;
}

function compareCells(page: string, path: string, stated: string, measured: string): Departure | "unheld" | undefined {
  // What is met or missed is told by the figure beside it, and is as steady as that
  const place = path.endsWith("› ") ? `${path}measured` : path;
  const steadiness = steadinessOf(page, place, stated);
  if (steadiness === "unheld") return "unheld";
  if (stated === measured) return undefined;
  const [was, is] = [numberIn(stated), numberIn(measured)];
  const departure = { place: `${page} › ${path}`, stated, measured, steadiness };
  if (Number.isNaN(was) || Number.isNaN(is)) return { ...departure, distance: undefined };
  if (isHeld(steadiness, was, is)) return undefined;
  return { ...departure, distance: was === 0 ? undefined : (is - was) / Math.abs(was) };
}
