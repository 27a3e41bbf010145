import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvariantError } from "../../invariant-error.ts";
import { KernelHeap } from "../../kernel-heap.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** What the module exports: `cloud-node/assembly/trajectory.ts`. Addresses and sizes are in bytes. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  readonly MAX_AXES: WebAssembly.Global;
  readonly MAX_FRAMES: WebAssembly.Global;
  readonly MAX_PARTNERS: WebAssembly.Global;
  readonly SLACK_BYTES: WebAssembly.Global;
  heapStart(): number;
  strideOf(axes: number, atoms: number): number;
  workBytes(frames: number, axes: number, atoms: number): number;
  outBytes(frames: number, axes: number, atoms: number): number;
  limitOf(halfStep: number, loss: number, subBits: number, elementBytes: number): number;
  unitOf(halfStep: number, loss: number, subBits: number, elementBytes: number, largest: number): number;
  scanValues(at: number, count: number, elementBytes: number, limit: number, largest: number): number;
  toFixed(
    at: number,
    count: number,
    elementBytes: number,
    limit: number,
    unit: number,
    out: number,
    stand: number,
  ): void;
  fromFixed(at: number, count: number, elementBytes: number, unit: number, out: number): void;
  escapeValues(at: number, count: number, elementBytes: number, limit: number, out: number): number;
  moveAlong(values: number, turns: number, count: number, edge: number): void;
  worstError(source: number, back: number, count: number, elementBytes: number, limit: number, sums: number): number;
  worstFixedError(
    source: number,
    fixed: number,
    count: number,
    elementBytes: number,
    unit: number,
    limit: number,
    sums: number,
  ): number;
  encodeBlock(
    frames: number,
    axes: number,
    atoms: number,
    subBits: number,
    plane: number,
    near: number,
    far: number,
    work: number,
    out: number,
  ): number;
  decodeBlock(
    at: number,
    bytes: number,
    frames: number,
    axes: number,
    atoms: number,
    plane: number,
    near: number,
    far: number,
    work: number,
  ): number;
  /** Beside the plane, which is only read. */
  readonly checkBlock: CoreExports["decodeBlock"];
  crc32c(checksum: number, at: number, bytes: number): number;
}

/** The two builds of the one source; they give the same bytes. */
export type CoreBuild = "simd" | "scalar";

const FILES: Readonly<Record<CoreBuild, string>> = { simd: "trajectory.wasm", scalar: "trajectory-scalar.wasm" };
const ALIGNMENT = 16;

/** One instance of the trajectory codec with its memory, which the caller lays out from 0 on for every chunk. */
export class TrajectoryCore extends KernelHeap {
  readonly calls: CoreExports;
  readonly maxFrames: number;
  readonly maxAxes: number;
  readonly #start: number;

  constructor(module: WebAssembly.Module) {
    const calls = new WebAssembly.Instance(module).exports as unknown as CoreExports;
    super(calls.memory, calls.heapStart(), ALIGNMENT);
    this.calls = calls;
    this.maxFrames = Number(this.calls.MAX_FRAMES.value);
    this.maxAxes = Number(this.calls.MAX_AXES.value);
    this.#start = this.mark();
  }

  /** Load a build from the package's own files. */
  static load(build: CoreBuild = "simd"): TrajectoryCore {
    const file = fileURLToPath(new URL(`../../../build/${FILES[build]}`, import.meta.url));
    return new TrajectoryCore(new WebAssembly.Module(readFileSync(file)));
  }

  /** Forget everything that was reserved. */
  clear(): void {
    this.release(this.#start);
  }

  protected override tooLarge(bytes: number, cause: unknown): TrajectoryError {
    const problem = `a chunk would take ${bytes} bytes of memory`;
    return new TrajectoryError("too-large", problem, "pack fewer frames in a chunk", {}, { cause });
  }

  /** A view of memory, until the next `reserve`. */
  bytes(at: number, count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.calls.memory.buffer as ArrayBuffer, at, count);
  }

  floats(at: number, count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.calls.memory.buffer as ArrayBuffer, at, count);
  }

  integers(at: number, count: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.calls.memory.buffer as ArrayBuffer, at, count);
  }

  /** Put bytes somewhere with what a decoder may read beyond them. @returns where */
  place(bytes: Uint8Array): number {
    const slack = Number(this.calls.SLACK_BYTES.value);
    const at = this.reserve(bytes.length + slack);
    const view = this.bytes(at, bytes.length + slack);
    view.set(bytes);
    view.fill(0, bytes.length);
    return at;
  }

  /** CRC-32C of bytes, u32. */
  checksum(...parts: readonly Uint8Array[]): number {
    let checksum = 0;
    for (const part of parts) {
      const mark = this.mark();
      checksum = this.calls.crc32c(checksum, this.place(part), part.length);
      this.release(mark);
    }
    return checksum >>> 0;
  }

  /** For answers that a right caller never gets. */
  checkStatus(status: number, call: string): void {
    if (status < 0) throw new InvariantError(`trajectory core: ${call} answered ${status}`);
  }
}
