/** For each row: the nearest anchor, the squared distance to it in grid steps, and that to the next one. */
export interface Assignment {
  readonly ids: Uint32Array;
  readonly distances: Int32Array;
  /** The largest i32 where there is but one anchor. */
  readonly seconds: Int32Array;
}

/** How the mean of its rows is disturbed before it becomes the new anchor. */
export interface Disturbance {
  /** u32, another one for every iteration. */
  readonly seed: number;
  /** Shape (D): 2^16 / 147.8 for each grid step of standard deviation; below 2^22. */
  readonly amplitudes: Int32Array;
}

/** Sums over the rows of every anchor. */
export interface AnchorSums {
  /** Shape (m, D). */
  readonly sums: Int32Array;
  /** Shape (m). */
  readonly counts: Int32Array;
}

/**
 * The three steps of training that touch rows and anchors, over i16 on the grid; all implementations give the same
 * integers. `kernels/NAME.wgsl` stands beside `cloud-node/assembly/vector-index`, which is its twin.
 */
export interface AnchorKernels {
  /** What does the work, for a reader of the log. */
  readonly device: string;
  /** Put rows where the kernels are; they take the place of those before. @param rows  shape (k, D), unchanged until the next */
  load(rows: Int16Array): Promise<void>;
  /** Assign the first `k` of the rows. @param anchors  shape (m, D) */
  assign(anchors: Int16Array, k: number): Promise<Assignment>;
  /** Sum up the rows last assigned. @param weights  shape (k): what each row counts; 0 leaves it out */
  reduce(weights: Uint8Array): Promise<AnchorSums>;
  /** Move the anchors last assigned to the means last reduced, rounded and disturbed; one without rows stays. */
  update(disturbance: Disturbance): Promise<Int16Array>;
  close(): Promise<void>;
}

/** What shapes the kernels: D, a multiple of 16, and the largest absolute value of the grid. */
export interface GridShape {
  readonly paddedD: number;
  readonly range: number;
}
