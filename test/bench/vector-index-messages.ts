/** What a process that holds one index is asked to do, and what it answers. */
export interface BuildOrder {
  readonly kind: "build";
  readonly subject: SubjectName;
  /** Rows as float32, (n, d), and queries alike. */
  readonly base: string;
  readonly queries: string;
  readonly n: number;
  readonly d: number;
  readonly folder: string;
  readonly ours?: OurOptions;
}

/** How an index of ours is built and asked. */
export interface OurOptions {
  readonly codeBytes: number;
  /** Anchors; without it as many as are built by default. */
  readonly m?: number;
  readonly rerank?: "i8" | "f16";
  /** Candidates that are ranked again. */
  readonly candidates?: number;
}

export interface SearchOrder {
  readonly kind: "search";
  /** Lists visited, or ef. */
  readonly effort: number;
}

export type SubjectOrder = BuildOrder | SearchOrder;

export interface BuildAnswer {
  /** Processor time of all threads: what others do on the machine counts little. */
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly peakRssMB: number;
  /** Efforts that make sense, rising; the last is as thorough as it goes. */
  readonly efforts: readonly number[];
}

export interface SearchAnswer {
  /** (q, k). */
  readonly ids: Uint32Array;
  /** Processor time of the one thread. */
  readonly cpuSeconds: number;
}

export type SubjectName = "ours" | "usearch f32" | "usearch i8" | "hnswlib";

/** Neighbours that every subject is asked for. */
export const K = 10;
