import {
  type BenchGoal,
  type BenchLimit,
  type BenchReport,
  type BenchTable,
  isMet,
  isWhole,
  isWithin,
} from "./bench.ts";

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

/**
 * The goals that were missed, in words for a terminal: how many, then one on each line.
 *
 * @returns nothing when all of them are met
 */
export function missedGoals(goals: readonly BenchGoal[]): string {
  const missed = goals.filter((goal) => !isMet(goal));
  if (missed.length === 0) return "";
  const lines = missed.map((goal) => {
    const must = goal.must === undefined ? "" : `, must be ${limitText(goal.must)} ${goal.unit}`;
    return `  ${whatOf(goal)}: ${shownOf(goal)}${must}\n`;
  });
  return `bench: ${missed.length} of ${goals.length} goals are missed:\n${lines.join("")}`;
}

function whatOf(goal: BenchGoal): string {
  const { what, cells } = goal;
  return isWhole(goal) ? what : `${what}, only ${cells?.measured} of ${cells?.of} cells`;
}

function shownOf({ measured, unit }: BenchGoal): string {
  return `${Number(measured.toPrecision(measured >= 1000 ? 6 : 3))} ${unit}`;
}

function goalTable(goals: readonly BenchGoal[]): BenchTable {
  return {
    title: "Goals",
    columns: ["goal", "measured", "must", "aim", ""],
    rows: goals.map((goal) => {
      const { measured, unit, must, aim, aimedAt } = goal;
      const held = must ?? aimedAt;
      return [
        whatOf(goal),
        shownOf(goal),
        must === undefined ? "" : `${limitText(must)} ${unit}`,
        aimedAt !== undefined ? `${limitText(aimedAt)} ${unit}` : aim === undefined ? "" : `${aim} ${unit}`,
        held === undefined ? "" : isWithin(measured, held) && isWhole(goal) ? "met" : "**missed**",
      ];
    }),
  };
}

function limitText(must: BenchLimit): string {
  if ("atLeast" in must) return `>= ${rounded(must.atLeast)}`;
  return "atMost" in must ? `<= ${rounded(must.atMost)}` : `< ${rounded(must.below)}`;
}

/** A limit that was measured has more digits than it says anything with. */
function rounded(limit: number): number {
  return Number(limit.toPrecision(6));
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
