import type { TopLevelSpec } from "vega-lite";

/** A table of a report. */
export interface BenchTable {
  readonly title: string;
  readonly columns: readonly string[];
  /** Shape (n, columns); the first cell names the row. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What was promised of one figure. */
export type BenchLimit = { readonly atLeast: number } | { readonly atMost: number } | { readonly below: number };

/** How many of the cells that a figure is a mean or an extreme of were measured. */
export interface BenchCoverage {
  readonly measured: number;
  readonly of: number;
}

/** One figure beside what it must be, and what it should be. */
export interface BenchGoal {
  readonly what: string;
  readonly measured: number;
  /** "x", "ms", "B", "%" … */
  readonly unit: string;
  /** Nothing for a figure that is only aimed at. */
  readonly must?: BenchLimit;
  /** In the same sense as `must`; nothing where none was set. */
  readonly aim?: number;
  /** In place of both where the figure fails nothing: what it is held against, shown as met or missed. */
  readonly aimedAt?: BenchLimit;
  /** A figure over fewer cells than there are meets nothing; nothing for one that is no figure over cells. */
  readonly cells?: BenchCoverage;
}

/** A picture of a report, drawn as `docs/results/NAME.svg`. */
export interface BenchPlot {
  readonly name: string;
  readonly spec: TopLevelSpec;
  /** What it shows, in one sentence. */
  readonly caption: string;
}

/** What one benchmark found, ready to be printed: its goals, plots, first table, the others, its notes. */
export interface BenchReport extends BenchTable {
  /** The input's size and origin, and anything else that a reader needs to repeat it. */
  readonly notes: readonly string[];
  /** The command fails when one of them is missed. */
  readonly goals?: readonly BenchGoal[];
  readonly more?: readonly BenchTable[];
  readonly plots?: readonly BenchPlot[];
  /** What `--json` prints in place of the report. */
  readonly json?: unknown;
}

/** What the command line asked for. */
export interface BenchOptions {
  /** Folder with data sets that the repository does not ship; a benchmark says so in its notes when it goes without. */
  readonly dataFolder: string | undefined;
  /** Error bounds relative to each channel's range, 0 < rel < 1; a benchmark's own where there are none. */
  readonly rels: readonly number[];
  /** Samples of a frame, for benchmarks that let it vary. */
  readonly frameSamples: number | undefined;
  /** How many cases, for a benchmark that goes on as long as it is told. */
  readonly cases?: number | undefined;
  /** Names of parts, for a benchmark that is made of some; all of them where there are none. */
  readonly parts?: readonly string[] | undefined;
  /** Only to see that it works: as little as can be, held against nothing. */
  readonly isQuick?: boolean | undefined;
}

/** One entry of `npm run bench -- NAME`: ours beside its peers, in one run. */
export type Bench = (options: BenchOptions) => Promise<BenchReport>;

/** Whether a figure is what it must be; not a number is not, nor one over fewer cells than there are. */
export function isMet(goal: BenchGoal): boolean {
  return goal.must === undefined || (isWithin(goal.measured, goal.must) && isWhole(goal));
}

/** Whether a figure covers every cell that it is about. */
export function isWhole({ cells }: BenchGoal): boolean {
  return cells === undefined || cells.measured === cells.of;
}

/** Whether a figure keeps to a limit; not a number does not. */
export function isWithin(measured: number, limit: BenchLimit): boolean {
  if ("atLeast" in limit) return measured >= limit.atLeast;
  return "atMost" in limit ? measured <= limit.atMost : measured < limit.below;
}
