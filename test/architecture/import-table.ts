/** One row of the table: files in `from` may import what lies in one of `allowed`. */
export interface ImportRow {
  readonly from: string;
  readonly allowed: readonly string[];
}

/**
 * Read the table "who may import whom" out of `docs/architecture.md`.
 *
 * @param markdown  the whole document
 * @returns the rows, in the document's order; none when there is no table
 */
export function readImportTable(markdown: string): ImportRow[] {
  const [, table = ""] = /<!-- imports:[\s\S]*?-->\s*((?:\|.*\n)+)/.exec(markdown) ?? [];
  return [...table.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, from = "", allowed = ""]) => ({
    from,
    allowed: [...allowed.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path),
  }));
}

/**
 * Whether `path` is `area`, lies in that folder, or is the file that `area` names without its extension.
 *
 * @param area  may hold `*` for one folder
 */
export function liesIn(path: string, area: string): boolean {
  return areaPattern(area).test(path);
}

/** The row that a file belongs to: the longest path that it lies in, a written-out one before one with `*`. */
export function rowOf(path: string, rows: readonly ImportRow[]): ImportRow | undefined {
  const weight = ({ from }: ImportRow) => from.split("/").length * 2 - (from.includes("*") ? 1 : 0);
  return rows.filter(({ from }) => liesIn(path, from)).sort((a, b) => weight(b) - weight(a))[0];
}

/**
 * Whether the table lets `importer` import `target`, both as paths from the root.
 *
 * The same path means the same concrete folder: with `workloads/*`, one workload is not another.
 */
export function mayImport(importer: string, target: string, rows: readonly ImportRow[]): boolean {
  const row = rowOf(importer, rows);
  if (row === undefined) return false;
  const own = areaPattern(row.from).exec(importer)?.[1] ?? row.from;
  const isOwn = liesIn(target, own) && rowOf(target, rows) === row;
  return isOwn || isInFolderAbove(importer, target) || row.allowed.some((area) => liesIn(target, area));
}

/** What lies directly in a folder above is there for everyone below: a clock, an error. A package's index is not. */
function isInFolderAbove(importer: string, target: string): boolean {
  const [, folder, file] = /^(.*\/)([^/]+\.[a-z]+)$/.exec(target) ?? [];
  return folder !== undefined && importer.startsWith(folder) && !file?.startsWith("index.");
}

/** The first group is the concrete folder. */
function areaPattern(area: string): RegExp {
  const path = area.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^(${path.join("[^/]+")})(?:/|$|\\.[a-z]+$)`);
}
