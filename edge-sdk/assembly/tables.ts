/**
 * What nothing ever writes, at the beginning of memory. A chip may leave it in its flash: between 0 and TABLES_END nothing
 * but these tables is ever read, each by an access whose constant offset is its address, so that who makes C of the module
 * (sim/qemu-wasm-runner/bin/compact-wasm2c.js) may take all those bytes for other things. They are as many as the module has
 * bytes of globals. A test holds it to that.
 */

/** Read by nobody. In front of the tables, so that no field of a structure has the offset of one. */
const UNUSED_BYTES: i32 = 104;
const UNUSED = memory.data(UNUSED_BYTES, 8);

/** How fast an adaptive bit moves, by its age: over 2^16. */
export const RATE_Q16 = memory.data<u16>([
  40960, 25206, 18204, 14246, 8398, 6027, 4325, 3104, 2227, 1598, 1147, 823, 591, 424, 304, 218,
]);

/** First probabilities of the adaptive bits of rows (residual-code.ts): runs of (count, probability of 4096). */
export const FIRST_RUNS = memory.data<u16>([
  4, 231, 4, 341, 4, 496, 4, 707, 4, 984, 4, 1328, 4, 2562, 4, 2936, 4, 3248, 4, 3494, 60, 700, 64, 2048, 73, 1638, 8,
  1843, 3, 205, 8, 2048,
]);
export const FIRST_RUNS_COUNT: i32 = 16;

/** First probabilities of the adaptive bits of lines (line-code.ts), b for (16 b + 8) / 4096. */
export const FIRST_OF_LINES = memory.data<u8>([
  // mode, goes on, reaches
  88, 138, 243, 241, 60, 7, 71, 14, 215,
  // rows: length, first bit below the leading one, second one
  253, 244, 172, 192, 131, 113, 37, 145, 27, 15, 162, 201, 147, 146, 115, 113, 36, 105, 55, 45, 128, 139, 238, 124, 205,
  205, 230, 171, 129, 68, 126, 150, 110, 44, 100, 96, 79, 128, 128,
  // moved: slopes, starts; sign: starts, slopes, each by none, negative, positive
  202, 247, 188, 254, 220, 101, 68, 161, 154, 168, 127,
  // values: length, first bit below the leading one; three classes of slopes, two of starts
  244, 112, 149, 150, 28, 244, 224, 129, 56, 211, 124, 81, 67, 11, 103, 162, 64, 56, 86, 68, 37, 25, 45, 78, 100, 31,
  57, 162, 58, 120, 39, 16, 195, 146, 86, 22, 28, 14, 41, 60, 67, 37, 85, 28, 63,
]);
export const FIRST_OF_LINES_COUNT: usize = 104;

/** Where the tables end. */
export const TABLES_END: usize = UNUSED + UNUSED_BYTES + 2 * 16 + 4 * <usize>FIRST_RUNS_COUNT + FIRST_OF_LINES_COUNT;
