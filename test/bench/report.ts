import type { BenchReport } from "./bench.ts";

/** How a report came about: without it a number is worth nothing. */
export interface Provenance {
  readonly command: string;
  readonly machine: string;
}

/**
 * A report as a Markdown page: title, how to repeat it, table, notes. Numbers stand right, text left.
 *
 * @throws {RangeError} when a row is not as long as the header
 */
export function toMarkdown(report: BenchReport, { command, machine }: Provenance): string {
  const { columns, rows } = report;
  for (const row of rows) {
    if (row.length !== columns.length) {
      throw new RangeError(`bench: row "${row[0]}" has ${row.length} cells, the header has ${columns.length}`);
    }
  }
  const rule = columns.map((_, column) => (rows.every((row) => typeof row[column] === "number") ? "---:" : "---"));
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    `<!-- Made by \`${command}\`; do not edit. -->`,
    `# ${report.title}`,
    "",
    `\`${command}\`, on ${machine}.`,
    "",
    line(columns),
    `|${rule.join("|")}|`,
    ...rows.map(line),
    "",
    ...report.notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}
