/** Rows of a tile: of as many as the host's 15 registers hold, a row more where a multiply-add is one instruction. */
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
