/** Codec state in bytes, line mode included: six channels must stay below the first, which eight do, and aim at the second. */
export const STATE_LIMIT = 2048;
export const STATE_AIM = 1792;
/** Bytes of `device.wasm`: 16.75 KiB, and what would be fine. */
export const MODULE_LIMIT = 17_152;
export const MODULE_AIM = 10 * 1024;
