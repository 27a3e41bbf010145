/** Codec state in bytes, line mode included: six channels must stay below the first, which eight do, and aim at the second. */
export const STATE_LIMIT = 2048;
export const STATE_AIM = 1792;
/** Bytes of `device.wasm`: 17.75 KiB, of which histories of 32 bits take 900 bytes, and what would be fine. */
export const MODULE_LIMIT = 18_176;
export const MODULE_AIM = 10 * 1024;
