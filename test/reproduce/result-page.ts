import { ReproduceError } from "./reproduce-error.ts";

/** One table of a page, as text. */
export interface ResultTable {
  /** Its heading; `goals` for the table of goals, `main` for what comes first beside it. */
  readonly name: string;
  /** A heading that was there before in this table has its count behind it: `p99, ms (2)`. */
  readonly columns: readonly string[];
  /** Shape (n, columns). */
  readonly rows: readonly (readonly string[])[];
}

/** A page of `docs/results`, read again. */
export interface ResultPage {
  readonly title: string;
  /** What a reader types to have the page made anew. */
  readonly command: string;
  /** Year, month, day. */
  readonly date: string;
  readonly machine: string;
  readonly tables: readonly ResultTable[];
}

const PROVENANCE = /^`([^`]+)`, (\d{4}-\d{2}-\d{2}), on (.+)\.$/m;

/**
 * Read a page as `toMarkdown` of the benchmarks writes it.
 *
 * @param name  of the page, for what is told
 * @throws {ReproduceError} `bad-page` when it does not say how it came about, or a row is not as long as its header
 */
export function readResultPage(name: string, markdown: string): ResultPage {
  const [, title] = /^# (.+)$/m.exec(markdown) ?? [];
  const [, command, date, machine] = PROVENANCE.exec(markdown) ?? [];
  if (title === undefined || command === undefined || date === undefined || machine === undefined) {
    throw new ReproduceError("bad-page", { page: name, lacks: "a title, or its command, date and machine" });
  }
  return { title, command, date, machine, tables: tablesOf(name, markdown) };
}

/** The first number of a cell, such as 538 of `**538** x`; not a number where it has none. */
export function numberIn(cell: string): number {
  const [found] = /[-−]?\d+(?:\.\d+)?(?:e[+-]?\d+)?/i.exec(cell.replace(/(?<=\d),(?=\d{3})/g, "")) ?? [];
  return found === undefined ? Number.NaN : Number(found.replace("−", "-"));
}

function tablesOf(page: string, markdown: string): ResultTable[] {
  const tables: ResultTable[] = [];
  let heading = "main";
  let lines: string[] = [];
  const close = (): void => {
    const [header, , ...rows] = lines.map(cellsOf);
    lines = [];
    if (header === undefined) return;
    for (const row of rows) {
      if (row.length !== header.length) {
        throw new ReproduceError("bad-page", { page, row: row.join(" | "), cells: row.length, columns: header.length });
      }
    }
    const name = header[0] === "goal" ? "goals" : heading;
    tables.push({ name, columns: numbered(header), rows });
  };
  for (const line of markdown.split("\n")) {
    if (line.startsWith("|")) lines.push(line);
    else close();
    if (line.startsWith("## ")) heading = line.slice(3).trim();
  }
  close();
  return tables;
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function numbered(header: readonly string[]): string[] {
  return header.map((name, at) => {
    const before = header.slice(0, at).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}
