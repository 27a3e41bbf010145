import { DistillationError } from "./distillation-error.ts";

/** One thing that was looked at, and held. */
export interface Finding {
  readonly claim: string;
  readonly checked: number;
}

/** A claim of a run that does not hold. */
export function unproven(problem: string): DistillationError {
  const remedy = "take another copy of the run, or run it again in a new folder";
  return new DistillationError("bad-evidence", problem, remedy);
}
