/*
 * One block of a chunk: consecutive frames, coded by the core and compared with what comes back. Within core_run alone.
 */
#ifndef BLOCK_CODEC_H
#define BLOCK_CODEC_H

#include "chunk-plan.h"

/** A coded block; its bytes lie in the core's memory until the next call. */
typedef struct {
  uint32_t at;
  uint32_t bytes;
  double unit;
} coded_block;

/** How many frames of a chunk go into a block, at most: what the core takes, in memory that is not out of proportion. */
uint32_t block_frames_most(const chunk_plan *plan);

/** @returns whether it could be coded within the bound */
bool block_encode(const chunk_plan *plan, uint32_t frames, const uint8_t *values, coded_block *block);

/**
 * @param coded  bytes of the block; any
 * @param values  overwritten, in part where it fails
 * @returns whether it is a block of these frames
 */
bool block_decode(const chunk_plan *plan, uint32_t frames, double unit, const uint8_t *coded, uint32_t bytes,
                  uint8_t *values);

#endif
