import type { CodecConfig } from "./codec-config.ts";
import type { CoreExports } from "./core-exports.ts";
import type { CoreMemory, Slot } from "./core-memory.ts";
import { CodecError } from "./core-status.ts";
import { divideScratch, type Workspace } from "./workspace.ts";

/** Flags of `decodeBegin`: part of the core's interface, as in every release; a test compares them with `batch.wasm`. */
export const FRAME_EVENTS = 1;
export const FRAME_LINES = 2;

/** One decoded frame, both arrays of shape (rows, channels), row-major. */
export interface DecodedPayload {
  /** Reconstructions in sample units; of an invalid sample the one before it. */
  readonly samples: Int32Array;
  /** 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: Uint8Array;
}

/** What the sender says about a payload beside its bytes; never both. */
export interface PayloadKind {
  /** Whether it codes a status for every channel-sample. */
  readonly hasEvents: boolean;
  /** Whether channels may lie on lines in it. */
  readonly hasLines: boolean;
}

/** One device's decoder: payloads to samples. A frame that is refused leaves it as it was. */
export class PayloadDecoder {
  readonly #core: CoreExports;
  readonly #memory: CoreMemory;
  readonly #config: CodecConfig;
  readonly #slot: Slot;

  constructor(core: CoreExports, memory: CoreMemory, config: CodecConfig) {
    this.#core = core;
    this.#memory = memory;
    this.#config = config;
    this.#slot = memory.allocate(config.bytes, config.coldState, config.globals);
  }

  /**
   * Decode one frame.
   *
   * @param rows  samples of every channel in it, >= 0; the caller bounds it, because nothing in the payload does
   * @throws {CodecError} `corrupt`, `not-canonical`, `no-base`, `shape`
   */
  decode(payload: Uint8Array, rows: number, { hasEvents, hasLines }: PayloadKind): DecodedPayload {
    const { calls } = this.#core;
    const room = this.#workspace(rows, payload.length);
    const { cfg, st } = this.#slot.enter();
    new Uint8Array(this.#core.memory.buffer).set(payload, room.payload);
    const flags = (hasEvents ? FRAME_EVENTS : 0) + (hasLines ? FRAME_LINES : 0);
    this.#leaveIfNegative(calls.decodeBegin(cfg, st, flags, rows, room.payload, payload.length), 0);
    const decoded = this.#eachPart(rows, room, (count) =>
      calls.decodeRows(cfg, st, room.samples, room.statuses, count),
    );
    this.#leaveIfNegative(calls.decodeEnd(cfg, st), rows);
    this.#slot.leave(true);
    return decoded;
  }

  /**
   * Advance by rows that the encoder left out: open lines go on, and every other residual is zero.
   *
   * @throws {CodecError} `no-base`, `shape`
   */
  replayQuiet(rows: number): Int32Array {
    const { calls } = this.#core;
    const room = this.#workspace(rows, 0);
    const { cfg, st } = this.#slot.enter();
    const { samples } = this.#eachPart(rows, room, (count) => calls.replayQuietRows(cfg, st, room.samples, count));
    this.#slot.leave(true);
    return samples;
  }

  /** Hash of the state, equal to the encoder's after the same frames. */
  hash(): number {
    const { cfg, st } = this.#slot.enter();
    return this.#core.calls.stateHash(cfg, st) >>> 0;
  }

  /**
   * Decode for trial: what `run` does counts where it returns true; where it returns false or throws, the state is as it
   * was before. No other decoder of the core is tried within.
   *
   * @returns what `run` did
   */
  attempt(run: () => boolean): boolean {
    this.#slot.keep();
    let isWanted = false;
    try {
      isWanted = run();
    } finally {
      if (!isWanted) this.#slot.putBack();
    }
    return isWanted;
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

  #workspace(rows: number, payloadBytes: number): Workspace {
    if (!Number.isInteger(rows) || rows < 0) throw new CodecError("shape", { rows });
    const room = divideScratch(this.#memory, rows, this.#config.channels, payloadBytes);
    if (room.payloadBytes < payloadBytes)
      throw new CodecError("shape", { need: payloadBytes, have: room.payloadBytes });
    return room;
  }

  /** Run `rowsInto` part by part and collect what it leaves in the workspace; the state is put back if it refuses. */
  #eachPart(rows: number, room: Workspace, rowsInto: (count: number) => number): DecodedPayload {
    const { channels } = this.#config;
    const samples = new Int32Array(rows * channels);
    const statuses = new Uint8Array(rows * channels);
    for (let done = 0; done < rows; done += room.rows) {
      const count = Math.min(rows - done, room.rows);
      this.#leaveIfNegative(rowsInto(count), done);
      const { buffer } = this.#core.memory;
      samples.set(new Int32Array(buffer, room.samples, count * channels), done * channels);
      statuses.set(new Uint8Array(buffer, room.statuses, count * channels), done * channels);
    }
    return { samples, statuses };
  }

  #leaveIfNegative(status: number, row: number): void {
    if (status >= 0) return;
    this.#slot.leave(false);
    throw this.#core.error(status, { row });
  }
}
