/**
 * Rows of a tile: as many as keep a processor's units of addition busy, and batches and heads have whole tiles of; two more
 * where a multiply-add is one instruction, and waits for itself longer.
 */
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
