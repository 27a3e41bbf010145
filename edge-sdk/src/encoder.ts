import type { CodecConfig } from "./codec-config.ts";
import type { CoreExports } from "./core-exports.ts";
import type { CoreMemory, Slot } from "./core-memory.ts";
import { CodecError } from "./core-status.ts";
import type { PayloadKind } from "./decoder.ts";
import { isLookahead } from "./lookahead-choice.ts";
import { divideScratch } from "./workspace.ts";

/** Payload room asked for beside each sample, bytes: twice the raw size; what does not fit ends the frame early. */
const ROOM_PER_SAMPLE = 8;

/** One encoded frame. */
export interface EncodedPayload extends PayloadKind {
  readonly payload: Uint8Array;
  /** Rows in it; fewer than given when one was refused. */
  readonly rows: number;
  /** Both ends foresee it, and its payload is empty: a sender may leave this frame out and count its rows as quiet. */
  readonly isQuiet: boolean;
  /** Why it ended early. The row after the last was not touched: begin another frame with it, or resolve the refusal. */
  readonly refusal: CodecError | undefined;
}

/**
 * What an encoder does with a frame before it codes it: nothing (a sample at a time, as a small device), longest lines,
 * or the cheapest lines by dynamic programming.
 */
export type Lookahead = "none" | "greedy" | "programme";

/** Refuse a lookahead that there is none of, or that the module has not. @throws {CodecError} `unknown-lookahead`, `no-lookahead` */
export function checkLookahead(core: CoreExports, lookahead: Lookahead): void {
  if (!isLookahead(lookahead)) throw new CodecError("unknown-lookahead", { lookahead: String(lookahead) });
  if (lookahead !== "none" && core.lookahead === undefined) throw new CodecError("no-lookahead");
}

/** The effort that `encodeFrame` knows a lookahead by. */
export function effortOf(core: CoreExports, lookahead: Exclude<Lookahead, "none">): number {
  return core.constant(lookahead === "greedy" ? "EFFORT_GREEDY" : "EFFORT_PROGRAMME");
}

/** How to encode. */
export interface EncoderOptions {
  /** "none" unless said otherwise; `batch.wasm` alone has more. */
  readonly lookahead?: Lookahead;
}

/** One device's encoder: samples to frame payloads, with the state that the decoder mirrors. */
export class PayloadEncoder {
  readonly #core: CoreExports;
  readonly #memory: CoreMemory;
  readonly #config: CodecConfig;
  readonly #slot: Slot;
  readonly #lookahead: Lookahead;

  constructor(core: CoreExports, memory: CoreMemory, config: CodecConfig, { lookahead = "none" }: EncoderOptions = {}) {
    checkLookahead(core, lookahead);
    this.#core = core;
    this.#memory = memory;
    this.#config = config;
    this.#lookahead = lookahead;
    this.#slot = memory.allocate(config.bytes, config.coldState, config.globals);
  }

  /**
   * Encode the samples as one frame.
   *
   * @param samples  shape (rows, channels), row-major, sample units
   * @param statuses  shape (rows, channels): 0 ok, 1 invalid, 2 saturated; undefined for a frame without events
   * @returns the frame; its payload is the caller's
   * @throws {CodecError} what refused the very first row, with the state unchanged; `shape`
   */
  encode(samples: Int32Array, statuses?: Uint8Array): EncodedPayload {
    const { channels } = this.#config;
    const rows = samples.length / channels;
    if (!Number.isInteger(rows)) throw new CodecError("shape", { samples: samples.length, channels });
    if (statuses !== undefined && statuses.length !== samples.length) {
      throw new CodecError("shape", { samples: samples.length, statuses: statuses.length });
    }
    const ahead = statuses === undefined && rows > 0 ? this.#encodeAhead(samples, rows) : undefined;
    if (ahead !== undefined) return ahead;
    const { cfg, st } = this.#slot.enter();
    const spare = (channels + 1) * this.#core.constant("MAX_CHANNEL_BYTES"); // the worst row, and the flush
    const room = divideScratch(this.#memory, rows, channels, samples.length * ROOM_PER_SAMPLE + spare);
    const { calls } = this.#core;
    calls.encodeBegin(cfg, st, statuses === undefined ? 0 : 1, room.payload, room.payloadBytes);
    let done = 0;
    let refusal: CodecError | undefined;
    while (done < rows && refusal === undefined) {
      const count = Math.min(rows - done, room.rows);
      const part = samples.subarray(done * channels, (done + count) * channels);
      new Int32Array(this.#core.memory.buffer, room.samples, part.length).set(part);
      if (statuses !== undefined) {
        new Uint8Array(this.#core.memory.buffer).set(
          statuses.subarray(done * channels, (done + count) * channels),
          room.statuses,
        );
      }
      const coded = calls.encodeRows(cfg, st, room.samples, statuses === undefined ? 0 : room.statuses, count);
      if (coded < 0) refusal = this.#core.error(coded, { row: done });
      else done += coded;
    }
    if (done === 0 && refusal !== undefined) {
      this.#slot.leave(false);
      throw refusal;
    }
    const isQuiet = calls.encodeIsQuiet(cfg, st) !== 0;
    const ended = calls.encodeEnd(cfg, st);
    this.#slot.leave(ended >= 0);
    const bytes = this.#core.check(ended);
    const payload = new Uint8Array(this.#core.memory.buffer).slice(room.payload, room.payload + bytes);
    return { payload, rows: done, hasEvents: statuses !== undefined, hasLines: false, isQuiet, refusal };
  }

  /**
   * Encode all rows as one frame that may have lines.
   *
   * @returns undefined without a lookahead, and where that frame would have to end early
   */
  #encodeAhead(samples: Int32Array, rows: number): EncodedPayload | undefined {
    const { calls, lookahead } = this.#core;
    if (lookahead === undefined || this.#lookahead === "none") return;
    const { channels } = this.#config;
    const { cfg, st } = this.#slot.enter();
    const payloadBytes = samples.length * ROOM_PER_SAMPLE + channels * this.#core.constant("MAX_CHANNEL_BYTES");
    const effort = effortOf(this.#core, this.#lookahead);
    const scratchBytes = lookahead.lookaheadBytes(rows, channels, effort);
    const { at } = this.#memory.scratch(samples.byteLength + scratchBytes + payloadBytes + 8);
    const scratch = at + ((samples.byteLength + 7) & ~7);
    const out = scratch + scratchBytes;
    new Int32Array(this.#core.memory.buffer, at, samples.length).set(samples);
    const bytes = lookahead.encodeFrame(cfg, st, at, rows, effort, out, payloadBytes, scratch);
    this.#slot.leave(bytes >= 0);
    if (bytes < 0) return;
    const payload = new Uint8Array(this.#core.memory.buffer).slice(out, out + bytes);
    const hasLines = lookahead.encodeHasLines(cfg, st) !== 0;
    const isQuiet = calls.encodeIsQuiet(cfg, st) !== 0;
    return { payload, rows, hasEvents: false, hasLines, isQuiet, refusal: undefined };
  }

  /** Hash of the state, equal to the decoder's after the same frames. */
  hash(): number {
    const { cfg, st } = this.#slot.enter();
    return this.#core.calls.stateHash(cfg, st) >>> 0;
  }

  /** Go back to the cold state: the next frame is a keyframe. */
  reset(): void {
    this.#slot.write(this.#config.coldState);
  }

  /** A copy of the persistent state. */
  saveState(): Uint8Array {
    return this.#slot.read();
  }

  /** Continue from a state of the same configuration. @throws {CodecError} `shape` */
  restoreState(state: Uint8Array): void {
    this.#slot.write(state);
  }
}
