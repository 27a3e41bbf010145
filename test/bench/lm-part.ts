import type { BenchGoal, BenchTable } from "./bench.ts";

/** What a part is given. */
export interface LmPlace {
  /** Path of TinyShakespeare; undefined where no folder with it was named. */
  readonly text: string | undefined;
  /** To see whether it works: as little as can be, too little to be held against goals. */
  readonly isQuick: boolean;
  /** Scratch, a folder of this part alone. */
  readonly folder: string;
  /** A line of progress. */
  readonly say: (line: string) => void;
}

/** What a part found, or why it could not be measured here. */
export interface LmFindings {
  readonly tables: readonly BenchTable[];
  readonly goals: readonly BenchGoal[];
  readonly notes: readonly string[];
  /** What `--json` has of it, by name. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** One thing that `npm run bench -- lm` shows, ours beside its peer. */
export interface LmPart {
  /** As `--parts` takes it. */
  readonly name: string;
  run(place: LmPlace): Promise<LmFindings>;
}

/**
 * What a part says that needs TinyShakespeare and has none.
 *
 * @param goals  as they are where nothing was measured: none of them is met
 */
export function withoutText(name: string, what: string, goals: readonly BenchGoal[]): LmFindings {
  const note = `${what}: not measured, since no text was given: \`--parts ${name} --data DIR\`, with TinyShakespeare as DIR/input.txt.`;
  return { tables: [], goals, notes: [note], json: { [name]: null } };
}
