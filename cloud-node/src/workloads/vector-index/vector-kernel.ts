import { readFileSync } from "node:fs";
import { InvariantError } from "../../invariant-error.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** `vector-search.wasm`: what its functions do is said where they are defined. Addresses and counts are u32. */
export interface VectorCalls {
  heapStart(): number;
  levelUnit(bits: number): number;
  setShape(dimensions: number, plain: number, coded: number, bits: number): void;
  coderScratchBytes(): number;
  setCoder(
    d: number,
    codeBytes: number,
    termUnit: number,
    mean: number,
    rotation: number,
    anchors: number,
    deviations: number,
    weights: number,
    scratch: number,
  ): void;
  encodeRows(
    rows: number,
    count: number,
    rotated: number,
    lists: number,
    codes: number,
    scales: number,
    terms: number,
    errors: number,
  ): void;
  setPlanes(planes: number, counts: number, deviations: number, effective: number): void;
  coarseBlockBytes(): number;
  packScratchBytes(): number;
  packCoarse(count: number, records: number, anchor: number, useTerm: number, blocks: number, scratch: number): void;
  roundedBytes(m: number): number;
  normBytes(m: number): number;
  roundAnchors(anchors: number, m: number, hasNorms: number, rounded: number, norms: number): number;
  setSearchModel(
    d: number,
    inner: number,
    mean: number,
    rotation: number,
    anchors: number,
    deviations: number,
    weights: number,
    m: number,
    rounded: number,
    norms: number,
    anchorUnit: number,
  ): void;
  recordBytes(): number;
  packRecords(
    count: number,
    codes: number,
    codeBytes: number,
    scales: number,
    terms: number,
    termUnit: number,
    ids: number,
    records: number,
  ): void;
  setRows(listOffsets: number, blockOffsets: number, blocks: number, records: number): void;
  queryScratchBytes(probes: number, k: number): number;
  searchRows(
    queries: number,
    count: number,
    k: number,
    probes: number,
    ids: number,
    distances: number,
    ranks: number,
    scratch: number,
  ): void;
  decodeRows(count: number, lists: number, codes: number, scales: number, rows: number): void;
}

const PAGE_BYTES = 65536;
/** What a memory of WebAssembly can have. */
const MAX_PAGES = 65536;
/** A start is at a whole cache line; a load of 16 bytes may begin at an array's last byte. */
const ALIGN = 64;
const SLACK_BYTES = 16;

/** An instance of the kernel in memory that several threads can share. Arrays are laid out one behind the other. */
export class VectorKernel {
  readonly memory: WebAssembly.Memory;
  readonly calls: VectorCalls;
  #free: number;

  private constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    this.memory = memory;
    this.calls = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as VectorCalls;
    this.#free = this.calls.heapStart();
  }

  /** An instance with memory of its own, which grows. */
  static load(): VectorKernel {
    return new VectorKernel(kernelModule(), new WebAssembly.Memory({ initial: 32, maximum: MAX_PAGES, shared: true }));
  }

  /** A further instance in the memory of another, for another thread. */
  static share(memory: WebAssembly.Memory): VectorKernel {
    return new VectorKernel(kernelModule(), memory);
  }

  /**
   * Set memory aside: zeros.
   *
   * @returns its address, a multiple of 64
   * @throws {VectorIndexError} `too-large` when it does not fit what a module can address
   */
  reserve(bytes: number): number {
    const address = this.#free;
    const end = Math.ceil((address + bytes + SLACK_BYTES) / ALIGN) * ALIGN;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) this.#grow(missing, end);
    this.#free = end;
    return address;
  }

  /** Set memory aside and write numbers to it. */
  place(values: Float32Array | Uint32Array | Uint16Array | Uint8Array): number {
    const address = this.reserve(values.byteLength);
    this.write(address, values);
    return address;
  }

  write(address: number, values: Float32Array | Uint32Array | Uint16Array | Uint8Array): void {
    this.bytes(address, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** Views of memory; after the next `reserve` they may be short of what was added. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }
  halves(address: number, length: number): Uint16Array {
    return new Uint16Array(this.memory.buffer, address, length);
  }
  words(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, length);
  }
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  #grow(pages: number, end: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      const problem = `${end} bytes of memory are needed at once, more than a module is given`;
      throw new VectorIndexError("too-large", problem, "shard the index, or code fewer bytes a vector", {}, { cause });
    }
  }
}

let compiled: WebAssembly.Module | undefined;

function kernelModule(): WebAssembly.Module {
  try {
    compiled ??= new WebAssembly.Module(readFileSync(new URL("../../../build/vector-search.wasm", import.meta.url)));
    return compiled;
  } catch (cause) {
    throw new InvariantError("build/vector-search.wasm does not load: run `npm run build`", { cause });
  }
}
