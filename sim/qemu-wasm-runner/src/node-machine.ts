import { findExport, fromPattern, toPatterns } from "./arguments.ts";
import type { Machine, WasmInteger } from "./machine.ts";
import type { ModuleShape } from "./module-shape.ts";
import { RunnerError } from "./runner-error.ts";
import { trapReasonOf } from "./trap-reason.ts";

/** The board `node`: the module in this process. */
export class NodeMachine implements Machine {
  readonly #exports: WebAssembly.Exports;
  readonly #shape: ModuleShape;

  private constructor(exports: WebAssembly.Exports, shape: ModuleShape) {
    this.#exports = exports;
    this.#shape = shape;
  }

  /** Instantiate the module. @throws {RunnerError} `trap` */
  static start(wasm: Uint8Array, shape: ModuleShape): NodeMachine {
    const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
    const { exports } = trapping("(start)", () => new WebAssembly.Instance(module));
    return new NodeMachine(exports, shape);
  }

  async call(name: string, ...args: readonly WasmInteger[]): Promise<readonly WasmInteger[]> {
    const { params, results } = findExport(this.#shape, "function", name).signature;
    const values = toPatterns(name, params, args).map((pattern, i) => fromPattern(params[i] ?? "i32", pattern));
    const called = this.#exports[name] as (...given: WasmInteger[]) => WasmInteger | WasmInteger[];
    const given = trapping(name, () => called(...values));
    if (results.length === 0) return [];
    return Array.isArray(given) ? given : [given];
  }

  async measure(): Promise<never> {
    throw new RunnerError("not-counting", { board: "node", want: "a board that counts, opened with counting" });
  }

  async stackHighWater(): Promise<never> {
    throw new RunnerError("not-counting", { board: "node", want: "a board without an operating system" });
  }

  async global(name: string): Promise<WasmInteger> {
    findExport(this.#shape, "global", name);
    return (this.#exports[name] as WebAssembly.Global).value;
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    return this.#range(at, length).slice();
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    this.#range(at, bytes.length).set(bytes);
  }

  async memoryBytes(): Promise<number> {
    return this.#memory().length;
  }

  async close(): Promise<void> {}

  #memory(): Uint8Array {
    const name = this.#shape.exports.find(({ kind }) => kind === "memory")?.name ?? "";
    const memory = this.#exports[name] as WebAssembly.Memory | undefined;
    return new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
  }

  #range(at: number, length: number): Uint8Array {
    const memory = this.#memory();
    if (at < 0 || length < 0 || at + length > memory.length) {
      throw new RunnerError("out-of-bounds", { at, length, memoryBytes: memory.length });
    }
    return memory.subarray(at, at + length);
  }
}

function trapping<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
    throw new RunnerError("trap", { function: name, reason: trapReasonOf(cause.message) }, { cause });
  }
}
