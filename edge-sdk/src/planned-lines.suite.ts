import { readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import type { CodecConfig } from "./codec-config.ts";

/**
 * An encoder that is told its lines: fixture of tests that write a payload again as it was written. No shipped module has
 * one, because an encoder draws its own, so the core's sources are compiled once more with their plan let out.
 */
const ENTRY = `
import { followPlan } from "./line-plan";
import { channelState, CODER_BLOCK_ROWS, CODER_ROWS, coderOf, CONFIG_CHANNELS, flagsOf, FRAME_LINES } from "./layout";
import { lineOf } from "./lines";
import { coderBegin } from "./range-coder";
import { beginRow, codeChannel } from "./row-coder";
export { decodeBegin, decodeEnd, decodeRows, encodeEnd, stateHash } from "./batch";
export { followPlan };
export { FRAME_LINES, LINE_BLOCK_ROWS, LINE_FROM, LINE_INDEX, LINE_LEFT, LINE_SHAPE, LINE_TO } from "./layout";
export { PLAN_CURSOR, PLAN_ENTRY_BYTES, PLAN_FROM, PLAN_LINE_BYTES, PLAN_MODE, PLAN_OPEN_ROWS, PLAN_ROWS, PLAN_TO } from "./line-plan";
export function lineAddress(cfg: usize, st: usize, c: i32): usize {
  return lineOf(flagsOf(cfg, channelState(cfg, st, c)));
}
export function encodeBeginLines(cfg: usize, st: usize, rows: u32, out: usize, capacity: i32): void {
  const coder = coderOf(cfg, st);
  coderBegin(coder, FRAME_LINES, out, capacity);
  store<u32>(coder, rows, CODER_ROWS);
  store<u32>(coder, 0, CODER_BLOCK_ROWS);
}
export function encodeLineRows(cfg: usize, st: usize, samples: usize, count: i32): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  for (let row = 0; row < count; row++) {
    beginRow(cfg, st);
    let nonZero = 0;
    for (let c = 0; c < channels; c++) nonZero += codeChannel(cfg, st, c, nonZero, samples, 0);
    samples += (<usize>channels) << 2;
  }
}`;
const OPTIONS = [
  ...["--runtime", "stub", "--optimizeLevel", "1", "--noAssert", "--lowMemoryLimit", "6144"],
  ...["--use", "abort=", "--disable", "bulk-memory", "--initialMemory", "32"],
];
const ENTRY_NAME = "planned";

/** One line of a channel, as long as it is within its block. */
interface DrawnLine {
  readonly rows: number;
  readonly from: number;
  readonly to: number;
}

/** What an encoder decides about a channel in one block. */
interface ChannelPlan {
  readonly isOnLines: boolean;
  /** Rows for which the line that the block before left open goes on; 0: it does not. */
  readonly openRows: number;
  readonly lines: readonly DrawnLine[];
}

/** Blocks, each a plan per channel. */
export type FramePlan = readonly (readonly ChannelPlan[])[];

/** What a payload said: its samples, the lines that it drew, and the hash of the state after it. */
export interface ReadFrame {
  readonly samples: Int32Array;
  readonly plan: FramePlan;
  readonly hash: number;
}

type Calls = Readonly<Record<string, (...args: number[]) => number>>;

const CONFIG_AT = 0x10000;
const STATE_AT = 0x11000;
const SAMPLES_AT = 0x20000;
const PLAN_AT = 0x80000;
const PAYLOAD_AT = 0x140000;
const PAYLOAD_ROOM = 0xb0000;
/** Of a line's shape: the channel is on lines; a line is under way; its length less one. */
const SHAPE_MODE = 1 << 11;
const SHAPE_ON = 1 << 12;
const SHAPE_SPAN = 0x7ff;

export class PlannedCodec {
  readonly #calls: Calls;
  readonly #constants: Readonly<Record<string, number>>;
  readonly #memory: DataView;

  private constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module);
    this.#memory = new DataView((exports.memory as WebAssembly.Memory).buffer);
    this.#calls = exports as unknown as Calls;
    const globals = Object.entries(exports).flatMap(([name, found]) =>
      found instanceof WebAssembly.Global ? [[name, Number(found.value)] as const] : [],
    );
    this.#constants = Object.fromEntries(globals);
  }

  /** Compile the sources beside this package's modules. */
  static async compile(): Promise<PlannedCodec> {
    const folder = new URL("../assembly/", import.meta.url);
    let bytes: Uint8Array<ArrayBuffer> | undefined;
    const { error, stderr } = await asc.main([`${ENTRY_NAME}.ts`, "--outFile", `${ENTRY_NAME}.wasm`, ...OPTIONS], {
      readFile: (name) => {
        if (name === `${ENTRY_NAME}.ts`) return ENTRY;
        try {
          return readFileSync(new URL(name, folder), "utf8");
        } catch {
          return null; // the compiler asks for a folder's index before the file
        }
      },
      writeFile: (_, contents) => {
        if (typeof contents !== "string") bytes = new Uint8Array(contents);
      },
      listFiles: () => [],
    });
    if (error || bytes === undefined) throw new RangeError(`the planned encoder does not compile:\n${stderr}`);
    return new PlannedCodec(new WebAssembly.Module(bytes));
  }

  /** Read a payload with lines that a decoder accepts, row by row, and see what its encoder decided. */
  read(config: CodecConfig, state: Uint8Array, payload: Uint8Array, rows: number): ReadFrame {
    this.#enter(config, state);
    this.#bytes(PAYLOAD_AT, payload.length).set(payload);
    this.#call("decodeBegin", CONFIG_AT, STATE_AT, this.#constant("FRAME_LINES"), rows, PAYLOAD_AT, payload.length);
    const samples = new Int32Array(rows * config.channels);
    const blocks: ChannelPlan[][] = [];
    for (let row = 0; row < rows; row++) {
      const isFirst = row % this.#constant("LINE_BLOCK_ROWS") === 0;
      const wasOn = this.#shapes(config).map((shape) => (shape & SHAPE_ON) !== 0);
      this.#call("decodeRows", CONFIG_AT, STATE_AT, SAMPLES_AT, 0, 1);
      for (let c = 0; c < config.channels; c++)
        samples[row * config.channels + c] = this.#memory.getInt32(SAMPLES_AT + 4 * c, true);
      if (isFirst) blocks.push(this.#shapes(config).map((shape, c) => this.#blockOf(shape, c, wasOn[c] === true)));
      for (const [c, plan] of (blocks.at(-1) ?? []).entries()) {
        const line = this.#newLine(c);
        if (plan.isOnLines && line !== undefined) (plan.lines as DrawnLine[]).push(line);
      }
    }
    this.#call("decodeEnd", CONFIG_AT, STATE_AT);
    return { samples, plan: blocks, hash: this.#call("stateHash", CONFIG_AT, STATE_AT) >>> 0 };
  }

  /** Write samples with these lines. @returns the payload, and the hash of the state after it */
  write(config: CodecConfig, state: Uint8Array, { samples, plan }: ReadFrame): { payload: Uint8Array; hash: number } {
    const { channels } = config;
    const rows = samples.length / channels;
    const blockRows = this.#constant("LINE_BLOCK_ROWS");
    this.#enter(config, state);
    this.#call("encodeBeginLines", CONFIG_AT, STATE_AT, rows, PAYLOAD_AT, PAYLOAD_ROOM);
    this.#call("followPlan", PLAN_AT);
    for (const [block, channelPlans] of plan.entries()) {
      this.#lay(channelPlans);
      const part = samples.subarray(block * blockRows * channels, (block + 1) * blockRows * channels);
      for (const [i, sample] of part.entries()) this.#memory.setInt32(SAMPLES_AT + 4 * i, sample, true);
      this.#call("encodeLineRows", CONFIG_AT, STATE_AT, SAMPLES_AT, part.length / channels);
    }
    this.#call("followPlan", 0);
    const bytes = this.#call("encodeEnd", CONFIG_AT, STATE_AT);
    const payload = this.#bytes(PAYLOAD_AT, bytes).slice();
    return { payload, hash: this.#call("stateHash", CONFIG_AT, STATE_AT) >>> 0 };
  }

  #enter(config: CodecConfig, state: Uint8Array): void {
    this.#bytes(CONFIG_AT, config.bytes.length).set(config.bytes);
    this.#bytes(STATE_AT, state.length).set(state);
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at, length);
  }

  #call(name: string, ...args: number[]): number {
    const answer = this.#calls[name]?.(...args) ?? 0;
    if (answer < 0 && name !== "stateHash") throw new RangeError(`${name} answers ${answer}`);
    return answer;
  }

  #constant(name: string): number {
    const value = this.#constants[name];
    if (value === undefined) throw new RangeError(`no constant ${name}`);
    return value;
  }

  #lineAt(c: number): number {
    return this.#call("lineAddress", CONFIG_AT, STATE_AT, c);
  }

  #shapes({ channels }: CodecConfig): number[] {
    return Array.from({ length: channels }, (_, c) =>
      this.#memory.getUint16(this.#lineAt(c) + this.#constant("LINE_SHAPE"), true),
    );
  }

  /** What a block's header said of a channel, after its first row. */
  #blockOf(shape: number, c: number, wasOn: boolean): ChannelPlan {
    const isOnLines = (shape & SHAPE_MODE) !== 0;
    const hasGoneOn = isOnLines && wasOn && this.#newLine(c) === undefined;
    const left = this.#memory.getUint16(this.#lineAt(c) + this.#constant("LINE_LEFT"), true);
    return { isOnLines, openRows: hasGoneOn ? left + 1 : 0, lines: [] };
  }

  /** The line that began in the row just read. */
  #newLine(c: number): DrawnLine | undefined {
    const at = this.#lineAt(c);
    if (this.#memory.getUint16(at + this.#constant("LINE_INDEX"), true) !== 1) return;
    const shape = this.#memory.getUint16(at + this.#constant("LINE_SHAPE"), true);
    const [from, to] = ["LINE_FROM", "LINE_TO"].map((name) => this.#memory.getInt32(at + this.#constant(name), true));
    return { rows: (shape & SHAPE_SPAN) + 1, from: from ?? 0, to: to ?? 0 };
  }

  /** Lay a block's plan down as the core reads it. */
  #lay(channelPlans: readonly ChannelPlan[]): void {
    const put = (at: number, name: string, value: number) =>
      this.#memory.setInt32(at + this.#constant(name), value, true);
    let end = PLAN_AT + this.#constant("PLAN_ENTRY_BYTES") * channelPlans.length;
    for (const [c, { isOnLines, openRows, lines }] of channelPlans.entries()) {
      const entry = PLAN_AT + this.#constant("PLAN_ENTRY_BYTES") * c;
      put(entry, "PLAN_CURSOR", end);
      put(entry, "PLAN_MODE", Number(isOnLines));
      put(entry, "PLAN_OPEN_ROWS", openRows);
      for (const { rows, from, to } of lines) {
        put(end, "PLAN_ROWS", rows);
        put(end, "PLAN_FROM", from);
        put(end, "PLAN_TO", to);
        end += this.#constant("PLAN_LINE_BYTES");
      }
    }
  }
}
