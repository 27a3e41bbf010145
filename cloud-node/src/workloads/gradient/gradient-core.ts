import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KernelHeap } from "../../kernel-heap.ts";
import { GradientError } from "./gradient-error.ts";

/** What the module exports: `cloud-node/assembly/gradient.ts`. Addresses and sizes are in bytes. */
export interface GradientCalls {
  readonly memory: WebAssembly.Memory;
  readonly MAGNITUDES: WebAssembly.Global;
  readonly MODE_ERROR_BOUNDED: WebAssembly.Global;
  readonly MODE_THRESHOLD: WebAssembly.Global;
  readonly MODE_STOCHASTIC: WebAssembly.Global;
  readonly topSum: WebAssembly.Global;
  readonly topCount: WebAssembly.Global;
  readonly allFinite: WebAssembly.Global;
  heapStart(): number;
  messageSeed(seed: number, step: number): number;
  digestOf(digest: number, at: number, bytes: number): number;
  crc32c(checksum: number, at: number, bytes: number): number;
  largestMagnitude(values: number, weights: number, count: number): number;
  countMagnitudes(values: number, weights: number, count: number, counts: number): void;
  thresholdFor(counts: number, wanted: number): number;
  quantizeValues(
    values: number,
    weights: number,
    count: number,
    perStep: number,
    mode: number,
    limit: number,
    seed: number,
    index: number,
    codes: number,
  ): number;
  addValues(
    codes: number,
    weights: number,
    count: number,
    step: number,
    limit: number,
    shift: number,
    top: number,
    factor: number,
    out: number,
  ): void;
  followSquares(squares: number, average: number, count: number, keep: number): void;
  unitsOf(squares: number, count: number, share: number, floor: number, weights: number): void;
  addNumbers(from: number, count: number, to: number): void;
  transposeCodes(from: number, rows: number, columns: number, to: number): void;
  workBytes(columns: number): number;
  eventBytes(sent: number): number;
  openSparseEncoder(work: number, events: number, count: number, largest: number): void;
  encodeTensor(codes: number, lines: number, columns: number): void;
  closeSparseEncoder(out: number, room: number): number;
  openSparseDecoder(work: number, bytes: number, length: number, count: number, largest: number): void;
  decodeTensor(codes: number, lines: number, columns: number): number;
  closeSparseDecoder(): number;
  /** The largest size of a code that the dense coder takes. */
  readonly LARGEST_SIZE: WebAssembly.Global;
  denseBytes(count: number): number;
  placeBytes(count: number): number;
  openDenseEncoder(work: number, places: number, out: number, count: number, largest: number): void;
  encodeDenseTensor(codes: number, lines: number, columns: number): void;
  closeDenseEncoder(): number;
  openDenseDecoder(work: number, bytes: number, length: number, largest: number): number;
  decodeDenseTensor(codes: number, lines: number, columns: number): number;
  closeDenseDecoder(): number;
}

const ALIGNMENT = 64;
const FLOAT_BYTES = 4;

/** One instance of the gradient kernels, with its memory. */
export class GradientCore extends KernelHeap {
  readonly calls: GradientCalls;

  constructor() {
    const file = fileURLToPath(new URL("../../../build/gradient.wasm", import.meta.url));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
    const calls = instance.exports as unknown as GradientCalls;
    super(calls.memory, calls.heapStart(), ALIGNMENT);
    this.calls = calls;
  }

  protected override tooLarge(bytes: number, cause: unknown): GradientError {
    const problem = `a gradient would take ${bytes} bytes of WebAssembly memory`;
    return new GradientError("too-large", problem, "code it in several parts", { cause });
  }

  write(at: number, values: Float32Array | Uint8Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.calls.memory.buffer).set(bytes, at);
  }

  /** Views of memory, until the next reservation. */
  bytes(at: number, count: number): Uint8Array {
    return new Uint8Array(this.calls.memory.buffer, at, count);
  }

  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.calls.memory.buffer, at, count);
  }

  /** Reserve floats that are 0. @returns their address */
  zeros(count: number): number {
    const at = this.reserve(FLOAT_BYTES * count);
    this.floats(at, count).fill(0);
    return at;
  }

  /** CRC-32C of bytes, u32. */
  checksum(bytes: Uint8Array): number {
    const mark = this.mark();
    const at = this.reserve(bytes.length);
    this.write(at, bytes);
    const checksum = this.calls.crc32c(0, at, bytes.length) >>> 0;
    this.release(mark);
    return checksum;
  }
}
