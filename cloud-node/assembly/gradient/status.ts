/** Negative answers of the kernel; `gradient-core.ts` of the host says them in words. */

/** The coded bytes would take more room than they were given. */
export const STATUS_FULL: i32 = -1;
/** A message says what no encoder says. */
export const STATUS_DAMAGED: i32 = -2;
