import type { AblationRow, CellResult, Spread } from "./ablation.ts";

/** The columns of `ablation.csv`. */
const CSV_COLUMNS = ["settings", "seed", "parameters", "trainLoss", "valLoss", "valBitsPerByte", "tokensPerSecond"];

/** Every run on a line. */
export function ablationCsv(results: readonly CellResult[]): string {
  const lines = results.map(({ cell, parameters, trainLoss, valLoss, valBitsPerByte, tokensPerSecond }) =>
    [cell.settings.join(" "), cell.seed, parameters, trainLoss, valLoss, valBitsPerByte, tokensPerSecond].join(","),
  );
  return [CSV_COLUMNS.join(","), ...lines, ""].join("\n");
}

/** A table for a person: in a terminal, and in Markdown. */
export function ablationTable(rows: readonly AblationRow[]): string[][] {
  const header = ["options", "runs", "parameters", "val loss", "bits per byte", "train loss", "tokens/s"];
  const lines = rows.map(({ settings, seeds, parameters, valLoss, valBitsPerByte, trainLoss, tokensPerSecond }) => [
    settings.length === 0 ? "as they are" : settings.join(" "),
    ...[String(seeds.length), String(parameters)],
    ...[valLoss, valBitsPerByte, trainLoss].map((spread) => spreadText(spread, 4)),
    spreadText(tokensPerSecond, 0),
  ]);
  return [header, ...lines];
}

/** The same with what it was made by. */
export function ablationMarkdown(rows: readonly AblationRow[], title: string): string {
  const [header = [], ...lines] = ablationTable(rows);
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = line(header.map(() => "---"));
  const note = "Mean over seeds ± standard deviation, at the last evaluation; loss in nats per token.";
  return [`# ${title}`, "", note, "", line(header), rule, ...lines.map(line), ""].join("\n");
}

function spreadText({ mean, deviation }: Spread, digits: number): string {
  const own = mean.toFixed(digits);
  return deviation === null ? own : `${own} ± ${deviation.toFixed(digits)}`;
}
