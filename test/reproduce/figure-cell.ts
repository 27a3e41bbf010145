import { ReproduceError } from "./reproduce-error.ts";
import { numberIn, type ResultPage } from "./result-page.ts";

/** A cell of a page of results, found by what a source says of it. */
export interface FoundCell {
  /** `table › row › column`. */
  readonly place: string;
  readonly text: string;
}

/** The cells that a source means, whose sum it is: one, or with `*` for the row those of all rows. */
export function findCells(name: string, page: ResultPage, steps: readonly string[]): FoundCell[] {
  const [table = "", row = "", column = "measured"] = steps;
  if (row !== "*") return [findCell(name, page, steps)];
  const found = page.tables.find((each) => each.name.startsWith(table));
  if (found === undefined)
    throw new ReproduceError("no-cell", { page: name, source: steps.join(" › "), part: "table" });
  return found.rows.map(([first = ""]) => findCell(name, page, [table, first, column]));
}

/**
 * The one cell that a source means: a table by the beginning of its name (`goals`, `main`, a heading), a row by cells of
 * it with ` & ` between, a column by the beginning of its name, left out for the figure of a goal.
 *
 * @throws {ReproduceError} `no-cell` when there is none, or more than one
 */
export function findCell(name: string, page: ResultPage, steps: readonly string[]): FoundCell {
  const [table = "", row = "", column = "measured"] = steps;
  const where = { page: name, source: steps.join(" › ") };
  const tables = page.tables.filter((each) => each.name.startsWith(table));
  const exact = tables.filter((each) => each.name === table);
  const found = only(exact.length > 0 ? exact : tables, { ...where, part: "table" });
  const cells = row.split("&").map((cell) => cell.trim());
  const matching = found.rows.filter((each) => cells.every((cell) => each.includes(cell)));
  const cellsOfRow = only(matching, { ...where, part: "row" });
  const columns = [...found.columns.entries()].filter(([, each]) => each.startsWith(column));
  const exactly = columns.filter(([, each]) => each === column);
  const [at, heading] = only(exactly.length > 0 ? exactly : columns, { ...where, part: "column" });
  return { place: `${found.name} › ${row} › ${heading}`, text: cellsOfRow[at] ?? "" };
}

/** What a figure says as a number, and half a unit of its last digit: what may have been rounded. */
export function statedNumber(text: string): { readonly stated: number; readonly half: number } {
  const stated = numberIn(text);
  const [, digits = "", decimals = ""] = /(\d+)(?:\.(\d+))?/.exec(text.replaceAll(",", "")) ?? [];
  if (decimals !== "") return { stated, half: 0.5 * 10 ** -decimals.length };
  // 17,000 is a rounded number, 80 is not: two digits count, whatever they are
  const zeros = /0*$/.exec(digits.slice(2))?.[0].length ?? 0;
  return { stated, half: 0.5 * 10 ** zeros };
}

function only<T>(found: readonly T[], where: Readonly<Record<string, string>>): T {
  const [first] = found;
  if (found.length !== 1 || first === undefined) throw new ReproduceError("no-cell", { ...where, found: found.length });
  return first;
}
