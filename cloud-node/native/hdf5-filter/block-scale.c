#include "block-scale.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core-instance.h"

/** Of eps, what rounding may take on the lattice. Half a step is the rest of it. */
#define LATTICE_ROUNDING (1.0 / 32)
/** And where steps are half as wide: a value is then still nearest to where it was. */
#define FINE_ROUNDING (1.0 / 4)
/** Rounding takes a little less than its share, for the roundings on the way. */
#define NEARLY 0.96
/** Numbers of a block are at most 2^30, and may grow by rounding. */
#define LARGEST (0.75 * (1 << 30))
/** Sub-bits of the closed loop, the finest first. */
static const uint32_t SUB_BITS[] = {8, 4, 0};
#define SUB_BITS_TRIED (sizeof SUB_BITS / sizeof *SUB_BITS)
#define LATTICES 2

/** The largest |x| whose place in its type is small enough to lose no more than a share of eps. */
static double limit_of(const chunk_plan *plan, double share, double step) {
  const double half_place = (plan->element_bytes == 4 ? FLT_EPSILON : DBL_EPSILON) / 2;
  const double by_rounding = NEARLY * share * plan->eps / half_place;
  const double by_range = LARGEST * step;
  return by_rounding < by_range ? by_rounding : by_range;
}

static block_scale lattice_of(const chunk_plan *plan, unsigned fineness) {
  const double step = 2 * plan->eps * (1 - LATTICE_ROUNDING);
  const double steps = floor(limit_of(plan, LATTICE_ROUNDING, step) / step);
  /* A quarter of a step: with it, what is within the limit is nearest to a step that is, by wide steps and by narrow ones. */
  if (fineness == 0) return (block_scale){(steps + 0.25) * step, step, 0, 0};
  return (block_scale){limit_of(plan, FINE_ROUNDING, step / 2), step / 2, 0, 2 * (int32_t)steps};
}

static double read_f64(uint32_t address) {
  double value;
  memcpy(&value, core_at(address), sizeof value);
  return value;
}

/** @param largest  set to the largest |x|. @returns whether none is beyond the limit */
static bool do_fit(const block_values *values, double limit, uint32_t sums, double *largest) {
  const uint32_t count = values->frames * values->frame_values;
  memset(core_at(sums), 0, sizeof(double));
  const uint32_t beyond =
      w2c_trajectory_scanValues(core_instance(), values->at, count, values->element_bytes, limit, sums);
  *largest = read_f64(sums);
  return beyond == 0;
}

bool scale_choose(const chunk_plan *plan, double half_step, const block_values *values, uint32_t sums,
                  block_scale *chosen) {
  double largest;
  if (plan->mode == MODE_MAX) {
    if (isinf(2 * plan->eps)) return false;
    for (unsigned fineness = 0; fineness < LATTICES; fineness++) {
      *chosen = lattice_of(plan, fineness);
      if (do_fit(values, chosen->limit, sums, &largest)) return chosen->unit > 0;
    }
    return false;
  }
  const uint32_t element = plan->element_bytes;
  for (size_t i = 0; i < SUB_BITS_TRIED; i++) {
    const double limit = w2c_trajectory_limitOf(core_instance(), half_step, 0, SUB_BITS[i], element);
    if (!do_fit(values, limit, sums, &largest)) continue;
    const double unit = w2c_trajectory_unitOf(core_instance(), half_step, 0, SUB_BITS[i], element, largest);
    *chosen = (block_scale){limit, unit, SUB_BITS[i], 0};
    return unit > 0;
  }
  return false;
}

/** Put the smaller numbers of a frame on the coarse lattice. @param coarse  the frame in steps twice as wide */
static void keep_even(uint8_t *fine, const uint8_t *coarse, uint32_t count, int32_t even_up_to) {
  for (size_t i = 0; i < count; i++) {
    int32_t number, half;
    memcpy(&number, fine + 4 * i, sizeof number);
    memcpy(&half, coarse + 4 * i, sizeof half);
    if (abs(number) <= even_up_to) number = 2 * half;
    memcpy(fine + 4 * i, &number, sizeof number);
  }
}

void scale_apply(const block_scale *scale, const block_values *values, uint32_t plane, uint32_t stride,
                 uint32_t scratch) {
  const uint32_t count = values->frame_values, element = values->element_bytes;
  for (uint32_t frame = 0; frame < values->frames; frame++) {
    const uint32_t from = values->at + frame * count * element, to = plane + 4 * frame * stride;
    memset(core_at(to + 4 * count), 0, 4 * (size_t)(stride - count));
    w2c_trajectory_toFixed(core_instance(), from, count, element, scale->limit, scale->unit, to, 0);
    if (scale->even_up_to == 0) continue;
    w2c_trajectory_toFixed(core_instance(), from, count, element, scale->limit, 2 * scale->unit, scratch, 0);
    keep_even(core_at(to), core_at(scratch), count, scale->even_up_to);
  }
}
