import { CONFIG as CONFIG_BLOCK } from "./config-block";
import { STEPS } from "./least-mean-squares";
import { IS_LITE } from "./profile";

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
/** The alias granted, at most 8 bytes. */
export const ALIAS: usize = memory.data(8, 8);
/** What the host looks at (link-view.ts), until it calls again: in the scratch, SCRATCH_BYTES from here on. */
export const VIEW: usize = STEPS;
/** Configuration block. */
export const CONFIG: usize = CONFIG_BLOCK;
/** State block: widestBytes(MAX_CHANNELS). */
export const STATE: usize = memory.data(IS_LITE ? 1012 : 4020, 8);
