import type { RankedNeighbours } from "./search-segment.ts";
import type { VectorKernel } from "./vector-kernel.ts";

/** What is asked of each query. */
export interface QueryShape {
  readonly d: number;
  readonly k: number;
  readonly probes: number;
}

/** Arguments of the kernel's `searchRows`. */
export type SearchCall = Parameters<VectorKernel["calls"]["searchRows"]>;

/** A kernel's memory for some queries and what is found for them; it grows, and is used again. */
export class QueryMemory {
  readonly #kernel: VectorKernel;
  #address = 0;
  #bytes = 0;

  constructor(kernel: VectorKernel) {
    this.#kernel = kernel;
  }

  /** Write queries, shape (count, d). @returns the call that searches them */
  write(queries: Float32Array, { d, k, probes }: QueryShape): SearchCall {
    const count = queries.length / d;
    const found = align(count * k * 4);
    const sizes = [align(queries.byteLength), found, found, found, this.#kernel.calls.queryScratchBytes(probes, k)];
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes > this.#bytes) {
      // What was reserved before is given up: at least twice as much, so that all of it together stays below this.
      this.#bytes = Math.max(bytes, 2 * this.#bytes);
      this.#address = this.#kernel.reserve(this.#bytes);
    }
    const [queryBytes = 0] = sizes;
    const ids = this.#address + queryBytes;
    this.#kernel.floats(this.#address, queries.length).set(queries);
    return [this.#address, count, k, probes, ids, ids + found, ids + 2 * found, ids + 3 * found];
  }

  /** What a call has found, `wide` columns of it for each query, the others as where nothing was found. */
  read([, count, k, , ids, distances, ranks]: SearchCall, out: RankedNeighbours, first: number, wide: number): void {
    const foundIds = this.#kernel.words(ids, count * k);
    const foundDistances = this.#kernel.floats(distances, count * k);
    const foundRanks = this.#kernel.floats(ranks, count * k);
    for (let i = 0; i < count; i++) {
      out.ids.set(foundIds.subarray(i * k, (i + 1) * k), (first + i) * wide);
      out.distances.set(foundDistances.subarray(i * k, (i + 1) * k), (first + i) * wide);
      out.ranks.set(foundRanks.subarray(i * k, (i + 1) * k), (first + i) * wide);
    }
  }
}

/** Room for the neighbours of queries: nothing found yet. */
export function noNeighbours(queries: number, k: number): RankedNeighbours {
  return {
    ids: new Uint32Array(queries * k).fill(0xffffffff),
    distances: new Float32Array(queries * k).fill(Infinity),
    ranks: new Float32Array(queries * k).fill(Infinity),
  };
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
