import { CONFIG_BYTES } from "./layout";

/**
 * What `device.wasm` keeps at fixed places. Constants on purpose: where every caller passes the same address, the
 * compiler takes the parameter away, and the codec's functions have neither `cfg` nor `st` left.
 *
 * The codec's own tables come first, because they are compiled before this file; the state comes last, so that fewer
 * channels take less memory. A test checks both.
 */

/** Most holes that one ack may name. */
export const MISSING_MAX: u32 = 8;
/** The holes: (from, count) pairs of u32. */
export const MISSING: usize = memory.data(64, 4);
/** What the host looks at (link-view.ts). */
export const VIEW: usize = memory.data(72, 8);
/** The alias granted, at most 8 bytes: the end of the view. */
export const ALIAS: usize = VIEW + 64;
/** Configuration block. */
export const CONFIG: usize = memory.data(CONFIG_BYTES, 8);
/** State block: widestBytes(MAX_CHANNELS). */
export const STATE: usize = memory.data(4020, 8);
