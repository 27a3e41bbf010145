/** Links of a node, and candidates while it is built: what both libraries take unless told otherwise. */
export const HNSW_LINKS = 16;
export const HNSW_EXPANSION = 128;
/** Candidates while searching, in steps fine enough to meet a recall. */
export const HNSW_EFFORTS = [10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];
