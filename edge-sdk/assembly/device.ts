import * as config from "./channel-config";
import * as codec from "./codec";
import { CANDIDATES_END } from "./config-block";
import { CONFIG, STATE } from "./device-memory";
import { CONFIG_OWN_LEVELS, configuredBytes } from "./layout";
import { IS_LITE } from "./profile";
import { decodeRows as decodeRowsOf, encodeRows as encodeRowsOf, replayQuietRows as replayQuietRowsOf } from "./rows";
import { TABLES_END } from "./tables";

/**
 * Entry of `device.wasm`: one device with its configuration and state at fixed places, used by firmware and by the cloud
 * alike. The SHA-256 of the built file is the model's identity.
 *
 *     8 .. stateAddress()              constants, configuration, working values, the link's block
 *     stateAddress() .. freeAddress()  codec state of the configured channels
 *     freeAddress() ..                 the caller's: samples, statuses, frames, ring
 *
 * A host that does not care takes everything from `__heap_base` on, which leaves room for MAX_CHANNELS. Constants that a
 * device has no use for, the statuses among them, are exported by `batch.wasm`.
 */
// biome-ignore lint/style/useExportType: values that the compiler provides
export { __heap_base, TABLES_END };

// ---- codec: docstrings are those of the same functions in channel-config.ts, codec.ts and rows.ts ----

// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
export {
  CONFIG_BYTES,
  MAX_CHANNEL_BYTES,
  MAX_CHANNELS,
  persistentBytes,
  stateBytes,
} from "./layout";

/** Address of the configuration block. */
export function configAddress(): usize {
  return CONFIG;
}

/**
 * Where what the channels leave of the configuration block ends: from their configuration to here it is the caller's, from
 * here to CONFIG_BYTES and NOTES_BYTES behind its begin between two calls only.
 */
export function spareEnd(): usize {
  return IS_LITE ? CANDIDATES_END : CANDIDATES_END - ((<usize>load<u8>(CONFIG, CONFIG_OWN_LEVELS)) << 2);
}

/** Address of the state block. */
export function stateAddress(): usize {
  return STATE;
}

/** First byte that the configured device leaves to the caller, 8-byte aligned. */
export function freeAddress(): usize {
  return (STATE + configuredBytes(CONFIG) + 7) & ~7;
}

export function codecConfigure(channels: i32): i32 {
  return config.codecConfigure(CONFIG, channels);
}

export function codecSetChannel(c: i32, e: i32, lattice: i32, historyShift: i32): i32 {
  return config.codecSetChannel(CONFIG, c, e, lattice, historyShift);
}

export function codecReset(): void {
  codec.codecReset(CONFIG, STATE);
}

export function encodeBegin(hasEvents: bool, out: usize, capacity: i32): void {
  codec.frameBegin(CONFIG, STATE, hasEvents, out, capacity);
}

export function encodeRows(samples: usize, statuses: usize, count: i32): i32 {
  return encodeRowsOf(CONFIG, STATE, samples, statuses, count);
}

export function encodeIsQuiet(): bool {
  return codec.frameIsQuiet(CONFIG, STATE);
}

export function encodeEnd(): i32 {
  return codec.frameEnd(CONFIG, STATE);
}

export function decodeBegin(flags: u32, rows: u32, input: usize, length: i32): i32 {
  return codec.decodeBegin(CONFIG, STATE, flags, rows, input, length);
}

export function decodeRows(samples: usize, statuses: usize, count: i32): i32 {
  return decodeRowsOf(CONFIG, STATE, samples, statuses, count);
}

export function decodeEnd(): i32 {
  return codec.decodeEnd(CONFIG, STATE);
}

export function replayQuietRows(samples: usize, count: i32): i32 {
  return replayQuietRowsOf(CONFIG, STATE, samples, count);
}

export function stateHash(): u32 {
  return codec.stateHash(CONFIG, STATE);
}

// ---- link: docstrings are those of the same functions in link.ts, link-send.ts and link-receive.ts ----

export { stacked, wide } from "./layout";
export { linkFlush, linkSample } from "./link";
export { linkBegin, linkChannel, linkDescribe, linkMemory, linkOpen, linkRestore } from "./link-open";
export { linkReceive } from "./link-receive";
export { linkConnected, linkDisconnected, linkPoll, linkPresence, linkWakeMs } from "./link-send";
export { mtu } from "./link-state";
export { linkDirtyClear, linkView } from "./link-view";
export { decodes } from "./range-coder";
