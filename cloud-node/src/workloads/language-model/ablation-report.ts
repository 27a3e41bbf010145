import { type AblationRow, type CellResult, isFinished, type Spread } from "./ablation.ts";
import { markdownTable } from "./table-text.ts";

/** The columns of `ablation.csv`. */
const CSV_COLUMNS = [
  ...["settings", "seed", "parameters", "trainLoss", "valLoss", "valBitsPerByte", "tokensPerSecond"],
  "divergence",
];

/** Every run on a line; one that diverged has no figures, and says why. */
export function ablationCsv(results: readonly CellResult[]): string {
  const lines = results.map((result) => {
    const own = [quoted(result.cell.settings.join(" ")), result.cell.seed];
    if (!isFinished(result)) return [...own, "", "", "", "", "", quoted(result.divergence)].join(",");
    const { parameters, trainLoss, valLoss, valBitsPerByte, tokensPerSecond } = result;
    return [...own, parameters, trainLoss, valLoss, valBitsPerByte, tokensPerSecond, ""].join(",");
  });
  return [CSV_COLUMNS.join(","), ...lines, ""].join("\n");
}

/**
 * A table for a person, in a terminal and in Markdown: a column for each option that was varied, and then what it did. What is
 * the same in all rows has no column; speeds depend on what else the machine did, and are in `ablation.json`.
 */
export function ablationTable(rows: readonly AblationRow[]): string[][] {
  const names = (rows[0]?.settings ?? []).map((setting) => setting.slice(0, setting.indexOf("=")));
  const columns: (readonly [title: string, cell: (row: AblationRow) => string])[] = [
    ...names.map((name, at) => [shortName(name, names), (row: AblationRow) => settingValue(row.settings[at])] as const),
    ["parameters", ({ parameters }) => parameters?.toString() ?? ""],
    ["diverged", ({ seeds, divergedSeeds: { length } }) => `${length} of ${length + seeds.length}`],
    ["val loss", ({ valLoss }) => spreadText(valLoss)],
    ["bits per byte", ({ valBitsPerByte }) => spreadText(valBitsPerByte)],
    ["train loss", ({ trainLoss }) => spreadText(trainLoss)],
  ];
  const differ = (cell: (row: AblationRow) => string) => new Set(rows.map(cell)).size > 1;
  const isTold = ([title, cell]: (typeof columns)[number]): boolean => {
    if (title === "diverged") return rows.some(({ divergedSeeds }) => divergedSeeds.length > 0);
    return title !== "parameters" || differ(cell);
  };
  const told = columns.filter(isTold);
  return [told.map(([title]) => title), ...rows.map((row) => told.map(([, cell]) => cell(row)))];
}

/** That table in Markdown, with what it was made by. */
export function ablationMarkdown(rows: readonly AblationRow[], title: string): string {
  const runs = Math.max(0, ...rows.map(({ seeds, divergedSeeds }) => seeds.length + divergedSeeds.length));
  const note = `Mean over ${runs} seeds ± standard deviation, at the last evaluation; loss in nats per token.`;
  return [`# ${title}`, "", note, "", markdownTable(ablationTable(rows)), ""].join("\n");
}

/** The last part of an option's name, where it says which one. */
function shortName(name: string, names: readonly string[]): string {
  const last = (of: string) => of.slice(of.lastIndexOf(".") + 1);
  return names.filter((other) => last(other) === last(name)).length > 1 ? name : last(name);
}

function settingValue(setting = ""): string {
  return setting.slice(setting.indexOf("=") + 1);
}

function spreadText(spread: Spread | null): string {
  if (spread === null) return "diverged";
  const mean = spread.mean.toFixed(4);
  return spread.deviation === null ? mean : `${mean} ± ${spread.deviation.toFixed(4)}`;
}

/** As RFC 4180 has it, where it has to be. */
function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
