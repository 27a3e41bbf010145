import type { TrainProgress } from "./train-options.ts";

/** How far a change of an index is: `done` of `total` rows, or of what training counts. */
export interface BuildProgress {
  readonly stage: TrainProgress["stage"] | "encode";
  readonly done: number;
  readonly total: number;
}
