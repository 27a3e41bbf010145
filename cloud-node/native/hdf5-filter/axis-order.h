/*
 * The order of a frame's values: in a chunk the axes of an atom lie together, in a block all atoms of an axis.
 */
#ifndef AXIS_ORDER_H
#define AXIS_ORDER_H

#include "chunk-plan.h"

/** A frame, from the order of a chunk to that of a block. */
void split_axes(const chunk_plan *plan, const uint8_t *atoms, uint8_t *axes);

/** And back. */
void join_axes(const chunk_plan *plan, const uint8_t *axes, uint8_t *atoms);

#endif
