import { numberIn, type ResultPage, type ResultTable } from "./result-page.ts";
import { isHeld, type Steadiness, steadinessOf } from "./steadiness.ts";

/** What the column of a goal is called that says whether it is met. */
const VERDICT = "verdict";

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
 * @param page  its name
 * @param only  places that are compared; all of them where it is left out
 */
export function comparePages(page: string, kept: ResultPage, measured: ResultPage, only?: RegExp): PageComparison {
  const departures: Departure[] = [];
  const rowsMissing: string[] = [];
  let cells = 0;
  for (const table of kept.tables) {
    const other = tableLike(table.name, measured.tables);
    const keys = keyLength(table);
    for (const row of table.rows) {
      const key = row.slice(0, keys).join(" & ");
      const now = other?.rows.find((each) => each.slice(0, keys).join(" & ") === key);
      const place = `${table.name} › ${key}`;
      if (other === undefined || now === undefined) {
        const paths = table.columns.slice(keys).map((column) => `${place} › ${column}`);
        if (only === undefined || paths.some((path) => only.test(path))) rowsMissing.push(`${page} › ${place}`);
        continue;
      }
      for (const [at, name] of table.columns.entries()) {
        if (at < keys) continue;
        const column = table.name === "goals" && name === "" ? VERDICT : name;
        const path = `${place} › ${column}`;
        if (only !== undefined && !only.test(path)) continue;
        const steadiness = steadinessOf(page, path, (column === VERDICT ? row[1] : row[at]) ?? "");
        if (steadiness === "unheld") continue;
        cells += 1;
        const found = {
          place: `${page} › ${path}`,
          stated: row[at] ?? "",
          measured: cellOf(other, now, name),
          steadiness,
        };
        const distance = distanceOf(found);
        if (distance !== 0) departures.push({ ...found, distance });
      }
    }
  }
  return { cells, departures, rowsMissing };
}

/** The table of this name; headings may have measured numbers in them. */
function tableLike(name: string, tables: readonly ResultTable[]): ResultTable | undefined {
  const alike = tables.filter((each) => withoutNumber(each.name) === withoutNumber(name));
  return tables.find((each) => each.name === name) ?? (alike.length === 1 ? alike[0] : undefined);
}

/** How many of a table's first cells tell its rows apart. */
function keyLength({ columns, rows }: ResultTable): number {
  for (let length = 1; length < columns.length; length++) {
    if (new Set(rows.map((row) => row.slice(0, length).join(" & "))).size === rows.length) return length;
  }
  return columns.length;
}

function cellOf({ columns }: ResultTable, row: readonly string[], column: string): string {
  return row[columns.indexOf(column)] ?? "not there";
}

/** How far apart two cells are, as a part of what is stated: 0 where they are held, nothing where one is no number. */
function distanceOf({ stated, measured, steadiness }: Omit<Departure, "distance">): number | undefined {
  if (stated === measured) return 0;
  const [was, is] = [numberIn(stated), numberIn(measured)];
  if (Number.isNaN(was) || Number.isNaN(is)) return undefined;
  if (withoutNumber(stated) === withoutNumber(measured) && isHeld(steadiness, was, is)) return 0;
  return was === 0 ? undefined : (is - was) / Math.abs(was);
}

/** The unit, or whatever else stands beside a cell's first number. */
function withoutNumber(cell: string): string {
  return cell.replace(/[-−]?[\d.,]+(?:e[+-]?\d+)?/gi, "#");
}
