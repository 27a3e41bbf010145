import type { Metric } from "./model.ts";
import type { RerankKind } from "./search-segment.ts";

/** Where a section of an index lies. */
export interface SectionPlace {
  /** Four letters, as in the file. */
  readonly tag: string;
  /** 0: of the model; 1 …: of that segment. */
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
  readonly crc: number;
}

/** Rows that were added together. */
export interface SegmentFacts {
  readonly rows: number;
  /** Of them, marked as deleted. */
  readonly deleted: number;
}

/**
 * How far decoded vectors are from those that were given, deleted ones among them, in the data's own unit. After
 * maintenance that encoded decoded vectors again these are upper bounds.
 */
export interface CodingError {
  /** Root of the mean squared distance between a vector and what its code says. */
  readonly rms: number;
  /** The largest distance. */
  readonly worst: number;
  /** Squared errors over squared distances from the mean vector. */
  readonly relative: number;
}

/** What an index says of itself before any of its sections is read. */
export interface IndexFacts {
  /** Vectors that a search can find. */
  readonly n: number;
  /** Rows that are marked as deleted, and still take room. */
  readonly deleted: number;
  /** Id of the next vector that is added: ids count up from 0, and none is given twice. */
  readonly nextId: number;
  readonly d: number;
  /** Anchors, and lists. */
  readonly m: number;
  readonly metric: Metric;
  /** Bytes of a vector's code; beside it are 4 bytes of side data and 4 of its id. */
  readonly codeBytes: number;
  /** How the vectors themselves are kept beside their codes, to rank the best again by. */
  readonly rerank: RerankKind | undefined;
  readonly segments: readonly SegmentFacts[];
  readonly sections: readonly SectionPlace[];
  readonly fileBytes: number;
}
