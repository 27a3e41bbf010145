import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KernelHeap } from "../../kernel-heap.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** What the module exports: `cloud-node/assembly/vector-training.ts`. Addresses and sizes are in bytes. */
export interface TrainingCalls {
  readonly memory: WebAssembly.Memory;
  readonly COVARIANCE_ROWS: WebAssembly.Global;
  heapStart(): number;
  toGrid(
    rows: number,
    k: number,
    d: number,
    D: number,
    mean: number,
    perUnit: number,
    range: number,
    out: number,
  ): void;
  residuals(
    rows: number,
    k: number,
    d: number,
    D: number,
    mean: number,
    anchors: number,
    lists: number,
    out: number,
  ): void;
  panelBytes(m: number, D: number): number;
  packPanels(anchors: number, m: number, D: number, out: number): void;
  assignRows(
    rows: number,
    k: number,
    D: number,
    packed: number,
    m: number,
    ids: number,
    distances: number,
    seconds: number,
  ): void;
  addToSums(rows: number, k: number, D: number, ids: number, weights: number, sums: number, counts: number): void;
  updateAnchors(
    sums: number,
    counts: number,
    m: number,
    D: number,
    amplitudes: number,
    seed: number,
    range: number,
    anchors: number,
  ): void;
  counterBits(seed: number, index: number): number;
  symmetricEigen(a: number, n: number, values: number, vectors: number, work: number): number;
  rotateRows(rows: number, k: number, D: number, matrix: number, out: number): void;
  addProducts(rows: number, k: number, D: number, sums: number): void;
}

const ALIGNMENT = 64;

/** Arrays that the kernels take. */
type Elements = Int16Array | Int32Array | Uint32Array | Uint8Array | Float32Array | Float64Array;

/** One instance of the training kernels, with its memory, of which pieces are reserved and given back as on a stack. */
export class TrainingCore extends KernelHeap {
  readonly calls: TrainingCalls;

  constructor() {
    const file = fileURLToPath(new URL("../../../build/vector-training.wasm", import.meta.url));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
    const calls = instance.exports as unknown as TrainingCalls;
    super(calls.memory, calls.heapStart(), ALIGNMENT);
    this.calls = calls;
  }

  protected override tooLarge(bytes: number, cause: unknown): VectorIndexError {
    const problem = `training would take ${bytes} bytes of WebAssembly memory`;
    return new VectorIndexError("too-large", problem, "ask for fewer anchors", {}, { cause });
  }

  /** Reserve memory and write an array there. @returns where */
  place(values: Elements): number {
    const at = this.reserve(values.byteLength);
    this.write(at, values);
    return at;
  }

  /** Reserve zeros. @returns where */
  zeros(bytes: number): number {
    const at = this.reserve(bytes);
    new Uint8Array(this.calls.memory.buffer, at, bytes).fill(0);
    return at;
  }

  write(at: number, values: Elements): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.calls.memory.buffer, at, bytes.length).set(bytes);
  }

  /** Views of memory, until the next reservation. */
  shorts(at: number, count: number): Int16Array {
    return new Int16Array(this.calls.memory.buffer, at, count);
  }

  ints(at: number, count: number): Int32Array {
    return new Int32Array(this.calls.memory.buffer, at, count);
  }

  words(at: number, count: number): Uint32Array {
    return new Uint32Array(this.calls.memory.buffer, at, count);
  }

  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.calls.memory.buffer, at, count);
  }

  doubles(at: number, count: number): Float64Array {
    return new Float64Array(this.calls.memory.buffer, at, count);
  }
}
