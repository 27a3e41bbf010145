/** What one benchmark found, ready to be printed as a table. */
export interface BenchReport {
  /** What was measured, in one line. */
  readonly title: string;
  /** The input's size and origin, and anything else that a reader needs to repeat it. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  /** Shape (n, columns); the first cell names the row. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What the command line asked for. */
export interface BenchOptions {
  /** Folder with data sets that the repository does not ship; a benchmark says so in its notes when it goes without. */
  readonly dataFolder: string | undefined;
}

/** One entry of `npm run bench -- NAME`: ours beside its peers, in one run. */
export type Bench = (options: BenchOptions) => Promise<BenchReport>;
