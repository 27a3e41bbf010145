import { CONFIG_BYTES } from "./layout";

/**
 * Where `device.wasm` has its configuration block, and what the codec notes of one code while it is coded. The notes are
 * filled from the end: most there are where a device has few channels, and so much room in the block is unused.
 *
 *     CONFIG                       configuration of the channels that there are
 *     behind that                  the caller's, from setting the channel count until it is set again
 *     CANDIDATES_END - 4 x levels  candidates (recent-levels.ts), one for each own level: the caller's between two calls
 *
 * Other modules have their configurations elsewhere, and of this only the candidates.
 */
/** Behind the configuration of all channels: 4 bytes for each of the 12 own levels that they have then. */
export const NOTES_BYTES: i32 = 48;
/** Of the predictors' working values (device-memory.ts), which no row needs of the one before: the caller's between two calls. */
export const SCRATCH_BYTES: i32 = 88;
/** Configuration block. */
export const CONFIG: usize = memory.data(CONFIG_BYTES + NOTES_BYTES, 8);
/** One past the candidates. */
export const CANDIDATES_END: usize = CONFIG + <usize>(CONFIG_BYTES + NOTES_BYTES);
