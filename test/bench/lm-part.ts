import type { BenchGoal } from "./bench.ts";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";

/** What a part of the language-model lab is given. */
export interface LmPlace extends PartPlace {
  /** Path of TinyShakespeare; undefined where no folder with it was named. */
  readonly text: string | undefined;
}

/** One thing that `npm run bench -- lm` shows. */
export type LmPart = BenchPart<LmPlace>;

/**
 * What a part says that needs TinyShakespeare and has none.
 *
 * @param goals  as they are where nothing was measured: none of them is met
 */
export function withoutText(name: string, what: string, goals: readonly BenchGoal[]): PartFindings {
  const note = `${what}: not measured, since no text was given: \`--parts ${name} --data DIR\`, with TinyShakespeare as DIR/input.txt.`;
  return { tables: [], goals, notes: [note], json: { [name]: null } };
}
