import { LanguageModelError } from "./language-model-error.ts";

/** One option of a run, and the values to be tried. */
export interface Variation {
  readonly name: string;
  /** As they are written in a setting. */
  readonly values: readonly string[];
}

/** What is tried unless somebody says otherwise: whether the head is the table, and whether vectors are normalized. */
export const DEFAULT_VARIATIONS: readonly Variation[] = [
  { name: "model.tied", values: ["true", "false"] },
  { name: "model.norm", values: ["rms-plain", "none"] },
];

/** More runs than anybody waits for: a slip of the hand. */
const MOST_CELLS = 1000;

/** One run of an ablation. */
export interface AblationCell {
  /** `model.tied=true`, one for each variation. */
  readonly settings: readonly string[];
  readonly seed: number;
  /** Of its folder: from its settings and its seed. */
  readonly name: string;
}

/** What one run came to. */
export type CellResult = FinishedCell | DivergedCell;

/** A run that got to its end. */
export interface FinishedCell {
  readonly cell: AblationCell;
  /** At the last evaluation. */
  readonly trainLoss: number;
  readonly valLoss: number;
  readonly valBitsPerByte: number;
  readonly parameters: number;
  readonly tokensPerSecond: number;
}

/** A run whose loss was no number any more: that is a result, too. */
export interface DivergedCell {
  readonly cell: AblationCell;
  /** At which step, and what. */
  readonly divergence: string;
}

/** Mean and spread over seeds. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation as a sample shows it, n − 1 below the line; null of one run. */
  readonly deviation: number | null;
}

/** What the runs of one combination of options came to. */
export interface AblationRow {
  readonly settings: readonly string[];
  /** Of the runs that got to their end; what follows is of these, and null where there is none. */
  readonly seeds: readonly number[];
  /** Of the runs that did not. */
  readonly divergedSeeds: readonly number[];
  readonly parameters: number | null;
  readonly trainLoss: Spread | null;
  readonly valLoss: Spread | null;
  readonly valBitsPerByte: Spread | null;
  readonly tokensPerSecond: Spread | null;
}

/** `NAME=A,B,…` @throws {LanguageModelError} `bad-config` */
export function parseVariation(text: string): Variation {
  const [, name, list] = /^([a-zA-Z0-9.]+)=(.+)$/.exec(text) ?? [];
  const values = list?.split(",").map((value) => value.trim()) ?? [];
  if (name === undefined || values.includes("") || new Set(values).size !== values.length) {
    const remedy = "write an option and its values, each once, like model.layers=1,2,4";
    throw new LanguageModelError("bad-config", `"${text}" is nothing to vary`, remedy);
  }
  return { name, values };
}

/**
 * Every combination of values with every seed: all combinations of one seed come first, so that a study that is broken off
 * can be compared as far as it went.
 *
 * @throws {LanguageModelError} `bad-config` for too many, or an option that is varied twice
 */
export function ablationCells(variations: readonly Variation[], seeds: readonly number[]): AblationCell[] {
  const names = variations.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at || name === "seed");
  if (twice !== undefined) {
    throw new LanguageModelError(
      "bad-config",
      `${twice} is varied already`,
      "name each option once; --seeds repeats runs",
    );
  }
  const combinations = variations.reduce<string[][]>(
    (before, { name, values }) => before.flatMap((some) => values.map((value) => [...some, `${name}=${value}`])),
    [[]],
  );
  const count = combinations.length * seeds.length;
  if (count > MOST_CELLS) {
    throw new LanguageModelError("bad-config", `${count} runs are more than ${MOST_CELLS}`, "vary less");
  }
  return seeds.flatMap((seed) => combinations.map((settings) => ({ settings, seed, name: cellName(settings, seed) })));
}

/** What every combination came to, the lowest loss first, and last what never got to its end. */
export function summarizeAblation(results: readonly CellResult[]): AblationRow[] {
  const groups = Map.groupBy(results, ({ cell }) => cell.settings.join(" "));
  const rows = [...groups.values()].map((group): AblationRow => {
    const finished = group.filter(isFinished);
    const of = (pick: (result: FinishedCell) => number) => spreadOf(finished.map(pick));
    return {
      settings: group[0]?.cell.settings ?? [],
      seeds: finished.map(({ cell }) => cell.seed),
      divergedSeeds: group.filter((result) => !isFinished(result)).map(({ cell }) => cell.seed),
      parameters: finished[0]?.parameters ?? null,
      trainLoss: of(({ trainLoss }) => trainLoss),
      valLoss: of(({ valLoss }) => valLoss),
      valBitsPerByte: of(({ valBitsPerByte }) => valBitsPerByte),
      tokensPerSecond: of(({ tokensPerSecond }) => tokensPerSecond),
    };
  });
  const loss = ({ valLoss }: AblationRow) => valLoss?.mean ?? Number.MAX_VALUE;
  return rows.sort((a, b) => loss(a) - loss(b));
}

/** Whether a run got to its end. */
export function isFinished(result: CellResult): result is FinishedCell {
  return !("divergence" in result);
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Fit for a folder on every system. */
function cellName(settings: readonly string[], seed: number): string {
  const words = settings.map((setting) => setting.replace(/[^a-zA-Z0-9.=-]/g, "_"));
  return [...words, `seed=${seed}`].join("+");
}
