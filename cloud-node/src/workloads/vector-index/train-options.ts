import type { Metric } from "./model.ts";

/** One line of the log of training. */
export interface AnnealingStep {
  /** 1 …. */
  readonly iteration: number;
  /** Rows that were assigned: the sample, or in the last iterations all of them. */
  readonly rows: number;
  /** 1 at the start, falling exponentially; 0 once nothing is disturbed any more. */
  readonly temperature: number;
  /** Mean squared distance of a row from its anchor, of all rows but gross ones, none trimmed; in the square of the data's unit. */
  readonly energy: number;
  /** Rows whose anchor is another one than in the iteration before. */
  readonly changes: number;
}

/** What training is at: `done` of `total` rows. */
export interface TrainProgress {
  readonly stage: "sample" | "start" | "anneal" | "assign" | "rotate";
  readonly done: number;
  readonly total: number;
}

/**
 * How an anchor is kept from being drawn to rows far from its others; `share` of the rows, 0 < share < 0.5. Gross rows,
 * several times as far from the middle of all as nine tenths are, count nothing in any case.
 */
export interface RobustMean {
  /** `trimmed`: the farthest rows have no say; `huber`: the say of each falls with its distance. */
  readonly kind: "trimmed" | "huber";
  readonly share: number;
}

/** Where training keeps what it needs to go on after it was stopped. */
export interface TrainCheckpoint {
  /** What `save` was last given, or nothing. */
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

/**
 * Where anchors are trained: WebAssembly, or the same integers by WGSL on a graphics processor. `software-gpu` is that
 * on OpenGL ES done by the processor: to check it where there is none, not to be fast.
 */
export type TrainDevice = "cpu" | "gpu" | "software-gpu";

export interface TrainOptions {
  /** Anchors; without it 5 √n, and at most a quarter of the rows. */
  readonly m?: number | undefined;
  /** Budget of a vector's code, in bytes. */
  readonly codeBytes: number;
  readonly metric: Metric;
  /** u32. The same rows, options and seed give the same model. */
  readonly seed: number;
  /** Annealing iterations at most. */
  readonly iterations?: number | undefined;
  readonly robust?: RobustMean | undefined;
  /** All give the same model. */
  readonly device?: TrainDevice | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: TrainProgress) => void) | undefined;
  readonly log?: ((step: AnnealingStep) => void) | undefined;
  readonly checkpoint?: TrainCheckpoint | undefined;
}
