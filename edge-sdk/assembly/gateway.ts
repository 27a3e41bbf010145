/**
 * Entry of `gateway.wasm`: `device.wasm` for devices with memory and time to spare, which look ahead in every frame
 * before they send it. What it sends any `device.wasm` of the same release decodes, so it goes by that one's name: the
 * model in its births is the SHA-256 of `device.wasm`.
 */
// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
export {
  CONFIG_BYTES,
  codecConfigure,
  codecReset,
  codecSetChannel,
  configAddress,
  decodeBegin,
  decodeEnd,
  decodeRows,
  encodeBegin,
  encodeEnd,
  encodeIsQuiet,
  encodeRows,
  freeAddress,
  linkBegin,
  linkChannel,
  linkConnected,
  linkDescribe,
  linkDirtyClear,
  linkDisconnected,
  linkFlush,
  linkMemory,
  linkOpen,
  linkPoll,
  linkPresence,
  linkReceive,
  linkRestore,
  linkSample,
  linkView,
  linkWakeMs,
  MAX_CHANNEL_BYTES,
  MAX_CHANNELS,
  persistentBytes,
  replayQuietRows,
  spareEnd,
  stateAddress,
  stateBytes,
  stateHash,
} from "./device";
export { linkLookahead, linkLookaheadBytes } from "./link-lookahead";
// biome-ignore lint/style/useExportType: a value that the compiler provides
export { __heap_base };
