/**
 * Status codes of the core: every function that can refuse returns a count >= 0 or one of these.
 * Codes -1 to -31 belong to the codec, -32 and below to the link. The host's table is `src/core-status.ts`.
 */

/** Fewer than 1 or more than MAX_CHANNELS channels. */
export const STATUS_CHANNEL_COUNT: i32 = -1;
/** A channel index that was not configured. */
export const STATUS_CHANNEL_INDEX: i32 = -2;
/** An error bound outside 0..MAX_BOUND. */
export const STATUS_BOUND_RANGE: i32 = -3;
/** A lattice spacing below 1, or one whose bin width passes MAX_STEP. */
export const STATUS_LATTICE_RANGE: i32 = -4;
/** A history shift outside 0..MAX_HISTORY_SHIFT, or one whose history bin passes 2^33. */
export const STATUS_HISTORY_SHIFT: i32 = -5;
/** A sample with a status other than ok in a frame that was begun without events; nothing was coded. */
export const STATUS_EVENT_IN_PLAIN_FRAME: i32 = -6;
/** A sample that is not on the lattice its channel claims; nothing was coded. */
export const STATUS_OFF_LATTICE: i32 = -7;
/** Too little room for the worst possible row; nothing was coded. */
export const STATUS_OUTPUT_FULL: i32 = -8;
/** A code that no encoder writes; the state is defined but worthless. */
export const STATUS_CORRUPT: i32 = -9;
/** The rows were decoded, yet these are not the bytes that an encoder would have written for them. */
export const STATUS_NOT_CANONICAL: i32 = -10;
/** Quiet rows were asked of a channel that has no base yet; the state is worthless. */
export const STATUS_NO_BASE: i32 = -11;
/** A sample status outside 0..2; nothing was coded. */
export const STATUS_SAMPLE_STATUS: i32 = -12;

/** The link was not opened, or its opening failed. */
export const STATUS_LINK_NOT_OPEN: i32 = -32;
/** A configuration value outside its range, or one that is missing (protocol/SPEC.md, section 3.1). */
export const STATUS_LINK_CONFIG: i32 = -33;
/** The output buffer cannot hold the birth, or the largest row in its frame; or the birth's own memory is too small. */
export const STATUS_OUT_SMALL: i32 = -34;
/** The ring cannot hold five of the largest records. */
export const STATUS_RING_SMALL: i32 = -35;
/** The ring's memory holds nothing that an earlier boot with a ring of this size wrote. */
export const STATUS_RING_EMPTY: i32 = -36;
/** The ring holds frames of another configuration: drain them with that one first, or format the ring. */
export const STATUS_RING_FOREIGN: i32 = -37;
/** The sequence of this epoch is used up: open the link anew with the next one. */
export const STATUS_EPOCH_EXHAUSTED: i32 = -38;
/** A message from the cloud that is malformed, forged or impossible; nothing took effect. */
export const STATUS_REFUSED_FRAME: i32 = -39;
/** A sound message that is for another boot, or came while the link was down; nothing took effect. */
export const STATUS_NOT_FOR_US: i32 = -40;
