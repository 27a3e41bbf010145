import { type BenchGoal, type BenchLimit, type BenchReport, type BenchTable, isWhole, isWithin } from "./bench.ts";

/** How a report came about: without it a number is worth nothing. */
export interface Provenance {
  readonly command: string;
  readonly machine: string;
  /** Year, month, day. */
  readonly date: string;
}

/**
 * A report as a Markdown page: title, how to repeat it, goals, tables, notes. Numbers stand right, text left.
 *
 * @throws {RangeError} when a row is not as long as the header
 */
export function toMarkdown(report: BenchReport, { command, machine, date }: Provenance): string {
  const { goals = [], more = [], plots = [] } = report;
  return [
    `<!-- Made by \`${command}\`; do not edit. -->`,
    `# ${report.title}`,
    "",
    `\`${command}\`, ${date}, on ${machine}.`,
    "",
    ...(goals.length === 0 ? [] : [...tableLines(goalTable(goals)), ""]),
    ...plots.flatMap((plot) => [`![${plot.caption}](${plot.name}.svg)`, "", `*${plot.caption}*`, ""]),
    ...tableLines(report),
    "",
    ...more.flatMap((table) => [`## ${table.title}`, "", ...tableLines(table), ""]),
    ...report.notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}

function goalTable(goals: readonly BenchGoal[]): BenchTable {
  return {
    title: "Goals",
    columns: ["goal", "measured", "must", "aim", ""],
    rows: goals.map((goal) => {
      const { what, measured, unit, must, aim, aimedAt, cells } = goal;
      const held = must ?? aimedAt;
      const shown = Number(measured.toPrecision(measured >= 1000 ? 6 : 3));
      return [
        isWhole(goal) ? what : `${what}, only ${cells?.measured} of ${cells?.of} cells`,
        `${shown} ${unit}`,
        must === undefined ? "" : `${limitText(must)} ${unit}`,
        aimedAt !== undefined ? `${limitText(aimedAt)} ${unit}` : aim === undefined ? "" : `${aim} ${unit}`,
        held === undefined ? "" : isWithin(measured, held) && isWhole(goal) ? "met" : "**missed**",
      ];
    }),
  };
}

function limitText(must: BenchLimit): string {
  if ("atLeast" in must) return `>= ${must.atLeast}`;
  return "atMost" in must ? `<= ${must.atMost}` : `< ${must.below}`;
}

function tableLines({ columns, rows }: BenchTable): string[] {
  for (const row of rows) {
    if (row.length !== columns.length) {
      throw new RangeError(`bench: row "${row[0]}" has ${row.length} cells, the header has ${columns.length}`);
    }
  }
  const rule = columns.map((_, column) => (rows.every((row) => isNumeric(row[column] ?? "")) ? "---:" : "---"));
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), `|${rule.join("|")}|`, ...rows.map(line)];
}

/** A number, a number in bold, or nothing beside them. */
function isNumeric(cell: string | number): boolean {
  return typeof cell === "number" || /^(|\*\*[\d.]+\*\*|[\d.]+)$/.test(cell);
}
