/** Negative answers of the core; `trajectory-core.ts` of the host says them in words. */

/** The coded bytes would take more room than they were given: store the values as they are. */
export const STATUS_NO_GAIN: i32 = -1;
/** A block that ends too soon, or says what no encoder says. */
export const STATUS_DAMAGED: i32 = -2;
/** Frames, axes or partners beyond what the module takes. */
export const STATUS_SHAPE: i32 = -3;
