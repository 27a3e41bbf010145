/**
 * Entry of `device-lite.wasm`: `device.wasm` with the lite profile (profile.ts), for devices that interpret the module. Same
 * exports, same rules; its SHA-256 is a model of its own, and only it decodes what it encodes.
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
// biome-ignore lint/style/useExportType: a value that the compiler provides
export { __heap_base };
