/**
 * Entry of `gateway.wasm`: `device.wasm` for devices with memory and time to spare, which look ahead in every frame
 * before they send it. What it sends any `device.wasm` of the same release decodes, so it goes by that one's name: the
 * model in its births is the SHA-256 of `device.wasm`.
 */
// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
// biome-ignore lint/performance/noReExportAll: it has all that the device has, and keeps it so
export * from "./device";
export { linkLookahead, linkLookaheadBytes } from "./link-lookahead";
