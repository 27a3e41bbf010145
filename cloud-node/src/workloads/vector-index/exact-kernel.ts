import { readFileSync } from "node:fs";
import { InvariantError } from "../../invariant-error.ts";
import type { Metric } from "./model.ts";

/** `cloud-node/assembly/exact-search.ts`. */
interface KernelCalls {
  readonly memory: WebAssembly.Memory;
  heapStart(): number;
  squaredDistances(queries: number, rows: number, count: number, d: number, out: number): void;
  negatedProducts(queries: number, rows: number, count: number, d: number, out: number): void;
}

/** Queries that a row is held against at once. */
export const QUERIES_AT_ONCE = 4;
/** The kernel takes dimensions by so many. */
const LANES = 4;
const PAGE_BYTES = 65_536;

/** Distances of rows from some queries; it has memory for so many of both. */
export class ExactKernel {
  readonly #calls: KernelCalls;
  readonly #d: number;
  readonly #stride: number;
  readonly #isProduct: boolean;
  readonly #queries: number;
  readonly #rows: number;
  readonly #out: number;
  readonly #rowValues: Float32Array;
  readonly #queryValues: Float64Array;
  readonly #sums: Float64Array;

  constructor(module: WebAssembly.Module, d: number, metric: Metric, queries: number, rows: number) {
    this.#calls = new WebAssembly.Instance(module).exports as unknown as KernelCalls;
    this.#d = d;
    this.#stride = Math.ceil(d / LANES) * LANES;
    this.#isProduct = metric === "ip";
    const fours = Math.ceil(queries / QUERIES_AT_ONCE) * QUERIES_AT_ONCE;
    this.#queries = this.#calls.heapStart();
    this.#rows = this.#queries + fours * this.#stride * 8;
    this.#out = this.#rows + rows * this.#stride * 4;
    const end = this.#out + rows * QUERIES_AT_ONCE * 8;
    const { memory } = this.#calls;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#queryValues = new Float64Array(memory.buffer, this.#queries, fours * this.#stride);
    this.#rowValues = new Float32Array(memory.buffer, this.#rows, rows * this.#stride);
    this.#sums = new Float64Array(memory.buffer, this.#out, rows * QUERIES_AT_ONCE);
  }

  /** @param queries  shape (q, d), q as it was said at most */
  setQueries(queries: Float32Array): void {
    this.#queryValues.fill(0);
    for (let i = 0; i * this.#d < queries.length; i++) {
      this.#queryValues.set(queries.subarray(i * this.#d, (i + 1) * this.#d), i * this.#stride);
    }
  }

  /** @param rows  shape (r, d), r as it was said at most */
  setRows(rows: Float32Array): void {
    const [d, stride] = [this.#d, this.#stride];
    if (d === stride) this.#rowValues.set(rows);
    else for (let i = 0; i * d < rows.length; i++) this.#rowValues.set(rows.subarray(i * d, (i + 1) * d), i * stride);
  }

  /**
   * Distances of the first rows from the queries `first` … `first` + 3.
   *
   * @param first  a multiple of QUERIES_AT_ONCE
   * @returns (count, QUERIES_AT_ONCE), good until the next call
   */
  distances(first: number, count: number): Float64Array {
    const queries = this.#queries + first * this.#stride * 8;
    const run = this.#isProduct ? this.#calls.negatedProducts : this.#calls.squaredDistances;
    run(queries, this.#rows, count, this.#stride, this.#out);
    return this.#sums;
  }
}

/** @throws {InvariantError} where the package was not built */
export function loadExactKernel(): WebAssembly.Module {
  try {
    return new WebAssembly.Module(readFileSync(new URL("../../../build/exact-search.wasm", import.meta.url)));
  } catch (cause) {
    throw new InvariantError("build/exact-search.wasm does not load: run `npm run build`", { cause });
  }
}
