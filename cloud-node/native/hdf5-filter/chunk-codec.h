/*
 * Chunks to bytes, and back.
 *
 *     u32   "LKH0"                             the chunk as it is follows
 *
 *     u32   "LKH1"                             coded:
 *     u32   CRC-32C of everything behind it
 *     u8    element bytes     u8  axes         u16  0
 *     u32   frames            u32 atoms
 *     and for each 1 … 1024 frames in turn
 *     u32   frames            u32 bytes        f64  unit
 *           a block of codes, as docs/trajectory-format.md has it
 *
 * Little-endian throughout. In a block the axes of a frame lie one after the other; in a chunk they are the fastest dimension.
 */
#ifndef CHUNK_CODEC_H
#define CHUNK_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "chunk-plan.h"
#include "hdf5-host.h"

/** Bytes with room for more. */
typedef struct {
  uint8_t *data;
  size_t bytes;
  size_t room;
} chunk_bytes;

/**
 * Encode a chunk; where its plan does not fit it, or its values are not to be had within the bound (NaN, infinite, too large
 * for eps), it is kept as it is.
 *
 * @param plan    NULL: keep it as it is
 * @param out     set to memory of the library's
 * @returns false where there is no memory
 */
bool chunk_encode(const chunk_plan *plan, const uint8_t *chunk, size_t bytes, hdf5_memory memory, chunk_bytes *out);

/**
 * Decode what `chunk_encode` made.
 *
 * @param plan  what must come out; NULL: whatever the bytes say
 * @param out   set to memory of the library's
 * @returns NULL, or what is wrong, for a person; `out->data` is NULL then
 */
const char *chunk_decode(const chunk_plan *plan, const uint8_t *coded, size_t bytes, hdf5_memory memory,
                         chunk_bytes *out);

#endif
