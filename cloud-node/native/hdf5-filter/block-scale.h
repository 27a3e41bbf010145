/*
 * What a block's numbers are multiples of.
 *
 * Mode `max` has one lattice for each eps and type, zero on it, with steps of 2 eps less what rounding to the type may
 * take: what a value becomes depends on that value alone. So a value that has come out of the filter stays as it is when
 * it goes in again, however often a chunk is read, changed in part and written, whatever else is in it, and in chunks of
 * any other shape: the bound holds for ever. Values that are large for their type have steps half as wide; smaller ones
 * beside them keep to every second, and so do not move when those come or go.
 *
 * Modes `once` and `rms` have the closed loop's sub-bits, as `lockstep trajectory` does: reconstructions keep to the
 * prediction and take fewer bits, but where they are depends on all of the block.
 */
#ifndef BLOCK_SCALE_H
#define BLOCK_SCALE_H

#include "chunk-plan.h"

typedef struct {
  double limit; /* of |x| */
  double unit;
  uint32_t sub_bits;
  int32_t even_up_to; /* of |X|: below it only even ones are used */
} block_scale;

/** Where the values of a block are in the core's memory, in the order of blocks. */
typedef struct {
  uint32_t at;
  uint32_t frames;
  uint32_t frame_values;
  uint32_t element_bytes;
} block_values;

/**
 * The scale that suits a mode, and all of the values.
 *
 * @param half_step  for the modes with sub-bits
 * @param sums  of scratch in the core's memory, 8 bytes
 * @returns false where they do not fit any
 */
bool scale_choose(const chunk_plan *plan, double half_step, const block_values *values, uint32_t sums,
                  block_scale *chosen);

/**
 * Values to fixed point.
 *
 * @param plane  frames of `stride` numbers in the core's memory; overwritten, with zeros behind each frame
 * @param scratch  room for the numbers of a frame
 */
void scale_apply(const block_scale *scale, const block_values *values, uint32_t plane, uint32_t stride,
                 uint32_t scratch);

#endif
