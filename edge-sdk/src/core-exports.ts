import { type CodecError, coreError } from "./core-status.ts";
import { ModuleError } from "./module-gate.ts";

/** The codec's functions over a configuration block `cfg` and a state block `st`, both addresses. */
export interface CodecCalls {
  codecConfigure(cfg: number, channels: number): number;
  codecSetChannel(cfg: number, c: number, bound: number, spacing: number, historyShift: number): number;
  codecReset(cfg: number, st: number): void;
  encodeBegin(cfg: number, st: number, hasEvents: number, out: number, capacity: number): void;
  encodeRows(cfg: number, st: number, samples: number, statuses: number, count: number): number;
  encodeIsQuiet(cfg: number, st: number): number;
  encodeEnd(cfg: number, st: number): number;
  decodeBegin(cfg: number, st: number, flags: number, rows: number, input: number, length: number): number;
  decodeRows(cfg: number, st: number, samples: number, statuses: number, count: number): number;
  decodeEnd(cfg: number, st: number): number;
  replayQuietRows(cfg: number, st: number, samples: number, count: number): number;
  stateHash(cfg: number, st: number): number;
  stateBytes(channels: number, historyShift: number): number;
  persistentBytes(channels: number, historyShift: number): number;
}

/** What a module with a lookahead has beside them. */
export interface LookaheadCalls {
  lookaheadBytes(rows: number, channels: number, effort: number): number;
  encodeFrame(
    cfg: number,
    st: number,
    samples: number,
    rows: number,
    effort: number,
    out: number,
    capacity: number,
    scratch: number,
  ): number;
  encodeHasLines(cfg: number, st: number): number;
}

const LOOKAHEAD_CALLS = ["lookaheadBytes", "encodeFrame", "encodeHasLines"];

const TAKES_BLOCKS = {
  codecConfigure: 1,
  codecSetChannel: 1,
  codecReset: 2,
  encodeBegin: 2,
  encodeRows: 2,
  encodeIsQuiet: 2,
  encodeEnd: 2,
  decodeBegin: 2,
  decodeRows: 2,
  decodeEnd: 2,
  replayQuietRows: 2,
  stateHash: 2,
  stateBytes: 0,
  persistentBytes: 0,
} as const satisfies Record<keyof CodecCalls, number>;

type WasmFunction = (...args: number[]) => number;

/** A call of a module that knows its blocks: without their addresses. Spelled out, since this is run for every frame. */
function withoutBlocks(call: WasmFunction, blocks: 0 | 1 | 2): WasmFunction {
  if (blocks === 0) return call;
  if (blocks === 1) return (_cfg: number, a: number, b: number, c: number, d: number) => call(a, b, c, d);
  return (_cfg: number, _st: number, a: number, b: number, c: number, d: number) => call(a, b, c, d);
}

/** Of layout.ts, set by codecConfigure and codecSetChannel. */
const CONFIG_GLOBALS = ["wide", "stacked"] as const;

/** One instance of a codec module: its memory, its functions under one shape, and its numbers. */
export class CoreExports {
  readonly memory: WebAssembly.Memory;
  readonly calls: CodecCalls;
  /** undefined for a module without a lookahead, as `device.wasm` is. */
  readonly lookahead: LookaheadCalls | undefined;
  /** Globals of a module of one device that belong to its configuration, beside the block. */
  readonly configGlobals: readonly WebAssembly.Global[];
  readonly #exports: WebAssembly.Exports;

  /**
   * @param isFixed  the module keeps its one configuration and state itself (device.wasm), so that calls drop `cfg`, `st`
   * @throws {ModuleError} `missing-export`
   */
  constructor(instance: WebAssembly.Instance, isFixed: boolean) {
    this.#exports = instance.exports;
    const { memory } = this.#exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new ModuleError("missing-export", { name: "memory" });
    this.memory = memory;
    const calls: Record<string, WasmFunction> = {};
    for (const [name, blocks] of Object.entries(TAKES_BLOCKS)) {
      const call = this.function(name);
      calls[name] = isFixed ? withoutBlocks(call, blocks) : call;
    }
    this.calls = calls as unknown as CodecCalls;
    const globals = isFixed ? CONFIG_GLOBALS.map((name) => this.#exports[name]) : [];
    this.configGlobals = globals.filter((global) => global instanceof WebAssembly.Global);
    const hasLookahead = !isFixed && LOOKAHEAD_CALLS.every((name) => this.#exports[name] !== undefined);
    this.lookahead = hasLookahead ? (this.#exports as unknown as LookaheadCalls) : undefined;
  }

  /** An exported function. @throws {ModuleError} `missing-export` */
  function(name: string): WasmFunction {
    const found = this.#exports[name];
    if (typeof found !== "function") throw new ModuleError("missing-export", { name });
    return found as WasmFunction;
  }

  /** An exported constant. @throws {ModuleError} `missing-export` */
  constant(name: string): number {
    const found = this.#exports[name];
    if (!(found instanceof WebAssembly.Global)) throw new ModuleError("missing-export", { name });
    return found.value;
  }

  /** The error that a negative status stands for. */
  error(status: number, facts: Readonly<Record<string, string | number>> = {}): CodecError {
    return coreError(status, facts);
  }

  /** Throw what a negative status stands for; pass a count on. @throws {CodecError} */
  check(status: number, facts: Readonly<Record<string, string | number>> = {}): number {
    if (status < 0) throw this.error(status, facts);
    return status;
  }
}
