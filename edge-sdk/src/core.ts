import { createHash } from "node:crypto";
import { HISTORY_SHIFT_LIMIT } from "./channel-scale.ts";
import type { ChannelSettings, CodecConfig } from "./codec-config.ts";
import { CoreExports } from "./core-exports.ts";
import { type CoreMemory, FixedMemory, GrowingMemory } from "./core-memory.ts";
import { PayloadDecoder } from "./decoder.ts";
import { checkLookahead, type EncoderOptions, effortOf, type Lookahead, PayloadEncoder } from "./encoder.ts";
import { BATCH_LIMITS, checkModule, DEVICE_LIMITS, type ModuleLimits } from "./module-gate.ts";

export {
  type ChannelPlan,
  type ChannelRequest,
  type ChannelScale,
  type FixedSample,
  planChannel,
  toFixed,
  toFloat,
} from "./channel-scale.ts";
export type { ChannelSettings, CodecConfig } from "./codec-config.ts";
export { CodecError, type CodecErrorCode } from "./core-status.ts";
export { type DecodedPayload, PayloadDecoder, type PayloadKind } from "./decoder.ts";
export { type EncodedPayload, type EncoderOptions, type Lookahead, PayloadEncoder } from "./encoder.ts";
export { LatticeScan, shortestWithin } from "./lattice.ts";
export { type LatticeClaim, planOnLattice } from "./lattice-plan.ts";
export { ModuleError } from "./module-gate.ts";

/** One loaded codec module, for any number of devices that speak with it. */
export interface Core {
  /** SHA-256 of the module's bytes, in lower-case hex: what a device calls its model. */
  readonly modelId: string;
  readonly maxChannels: number;
  /**
   * Bytes that a device of this many channels needs for its state, the range coder of the frame in hand included.
   *
   * @param historyShift  the largest of its channels, 0 … 25, default 0: beyond 2 their histories take twice the bytes
   */
  stateBytes(channels: number, historyShift?: number): number;
  /**
   * Bytes of scratch that an encoder needs beside its state for a frame of this many rows; 0 without a lookahead.
   *
   * @throws {CodecError} `unknown-lookahead`; `no-lookahead` when the module has none
   */
  lookaheadBytes(rows: number, channels: number, lookahead: Lookahead): number;
  /**
   * Check and build a configuration.
   *
   * @throws {CodecError} `channel-count`, `bound-range`, `lattice-range`, `history-shift`
   */
  configure(channels: readonly ChannelSettings[]): CodecConfig;
  /**
   * A codec in the cold state that turns samples into payloads.
   *
   * @throws {CodecError} `unknown-lookahead`; `no-lookahead` when the module has none
   */
  createEncoder(config: CodecConfig, options?: EncoderOptions): PayloadEncoder;
  /** A codec in the cold state that turns payloads into samples. */
  createDecoder(config: CodecConfig): PayloadDecoder;
}

/**
 * Load a device's module, `device.wasm` of any release: one instance for all its devices, whose states are copied in
 * and out.
 *
 * @throws {ModuleError} when the bytes are not a module that may run as a codec
 */
export function loadCore(bytes: Uint8Array): Core {
  return load(bytes, DEVICE_LIMITS, true);
}

/**
 * Load `batch.wasm`: the same codec with states that stay in its memory, for long frames and many devices.
 *
 * @throws {ModuleError} when the bytes are not a module that may run as a codec
 */
export function loadBatchCore(bytes: Uint8Array): Core {
  return load(bytes, BATCH_LIMITS, false);
}

function load(given: Uint8Array, limits: ModuleLimits, isFixed: boolean): Core {
  const bytes = new Uint8Array(given);
  checkModule(bytes, limits);
  const core = new CoreExports(new WebAssembly.Instance(new WebAssembly.Module(bytes)), isFixed);
  const memory: CoreMemory = isFixed ? new FixedMemory(core) : new GrowingMemory(core);
  const configBytes = core.constant("CONFIG_BYTES");
  return {
    modelId: createHash("sha256").update(bytes).digest("hex"),
    maxChannels: core.constant("MAX_CHANNELS"),
    stateBytes: (channels, historyShift = 0) => core.calls.stateBytes(channels, historyShift),
    lookaheadBytes: (rows, channels, lookahead) => {
      checkLookahead(core, lookahead);
      if (lookahead === "none" || core.lookahead === undefined) return 0;
      return core.lookahead.lookaheadBytes(rows, channels, effortOf(core, lookahead));
    },
    configure: (channels) => configure(core, memory, configBytes, channels),
    createEncoder: (config, options) => new PayloadEncoder(core, memory, config, options),
    createDecoder: (config) => new PayloadDecoder(core, memory, config),
  };
}

function configure(
  core: CoreExports,
  memory: CoreMemory,
  configBytes: number,
  channels: readonly ChannelSettings[],
): CodecConfig {
  const { calls } = core;
  const { cfg, st } = memory.draft(configBytes, calls.stateBytes(core.constant("MAX_CHANNELS"), HISTORY_SHIFT_LIMIT));
  core.check(calls.codecConfigure(cfg, channels.length), { channels: channels.length });
  channels.forEach(({ e, lattice, historyShift }, c) => {
    const status = calls.codecSetChannel(cfg, c, toInt32(e), toInt32(lattice), toInt32(historyShift));
    core.check(status, { channel: c, e, lattice, historyShift });
  });
  calls.codecReset(cfg, st);
  const largestShift = Math.max(...channels.map(({ historyShift }) => historyShift));
  const all = new Uint8Array(core.memory.buffer);
  return {
    channels: channels.length,
    bytes: all.slice(cfg, cfg + configBytes),
    coldState: all.slice(st, st + calls.persistentBytes(channels.length, largestShift)),
    globals: core.configGlobals.map(({ value }) => value),
  };
}

/** A number that WebAssembly would wrap becomes one that the core refuses. */
function toInt32(value: number): number {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : -1;
}
