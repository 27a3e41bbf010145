/**
 * Entry of `batch.wasm`: the functions of `device.wasm` over any number of configuration and state blocks, which the
 * caller lays out in memory from `__heap_base` on and grows as it needs.
 */

// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
export { codecConfigure, codecSetChannel } from "./channel-config";
export {
  codecReset,
  decodeBegin,
  decodeEnd,
  frameBegin as encodeBegin,
  frameEnd as encodeEnd,
  frameIsQuiet as encodeIsQuiet,
  frameSample as encodeSample,
  stateHash,
} from "./codec";
export { NOTES_BYTES, SCRATCH_BYTES } from "./config-block";
export { OUT_BYTES_LEAST, SEAL_BYTES } from "./envelope";
export { hashBytes } from "./hash";
export {
  CONFIG_BYTES,
  FLUSH_BYTES,
  FRAME_EVENTS,
  FRAME_LINES,
  MAX_BOUND,
  MAX_CHANNEL_BYTES,
  MAX_CHANNELS,
  MAX_HISTORY_SHIFT,
  persistentBytes,
  stateBytes,
} from "./layout";
export {
  EFFORT_GREEDY,
  EFFORT_PROGRAMME,
  encodeFrame,
  frameHasLines as encodeHasLines,
  lookaheadBytes,
} from "./lookahead";
export { SAMPLE_INVALID, SAMPLE_OK, SAMPLE_SATURATED } from "./row-coder";
export { decodeRows, encodeRows, replayQuietRows } from "./rows";
export {
  STATUS_BOUND_RANGE,
  STATUS_CHANNEL_COUNT,
  STATUS_CHANNEL_INDEX,
  STATUS_CORRUPT,
  STATUS_EVENT_IN_PLAIN_FRAME,
  STATUS_HISTORY_SHIFT,
  STATUS_LATTICE_RANGE,
  STATUS_NO_BASE,
  STATUS_NOT_CANONICAL,
  STATUS_OFF_LATTICE,
  STATUS_OUTPUT_FULL,
  STATUS_SAMPLE_STATUS,
} from "./status";
// biome-ignore lint/style/useExportType: values that the compiler provides
export { __heap_base };
