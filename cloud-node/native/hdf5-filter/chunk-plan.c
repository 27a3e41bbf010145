#include "chunk-plan.h"

#include <math.h>
#include <string.h>

#define RANK_MOST 4
#define AXES_MOST 3
/** "LK" and the list's version. */
#define PLAN_MARK 0x4c4b0001u
/** A frame is coded whole: its scratch is then about 1 GiB. */
#define FRAME_VALUES_MOST (1ull << 26)
/** HDF5 has chunks below 4 GiB. */
#define CHUNK_BYTES_MOST 0xffffffffull

enum { MARK, ELEMENT_BYTES, AXES, FRAMES, ATOMS, PLAN_EPS_LOW, PLAN_EPS_HIGH, PLAN_MODE };
enum { GIVEN_EPS_LOW, GIVEN_EPS_HIGH, GIVEN_MODE };

static const char *read_bound(chunk_plan *plan, unsigned low, unsigned high, unsigned mode) {
  const uint64_t bits = (uint64_t)high << 32 | low;
  memcpy(&plan->eps, &bits, sizeof bits);
  if (!(plan->eps > 0) || isinf(plan->eps)) return "eps must be above 0 and finite: its bits are the first two options";
  if (mode > MODE_ONCE) return "the mode, its third option, must be 0 (max), 1 (rms) or 2 (once)";
  plan->mode = (chunk_mode)mode;
  return NULL;
}

const char *plan_read_bound(chunk_plan *plan, size_t value_count, const unsigned values[]) {
  if (value_count == PLAN_VALUES && values[MARK] == PLAN_MARK)
    return read_bound(plan, values[PLAN_EPS_LOW], values[PLAN_EPS_HIGH], values[PLAN_MODE]);
  if (value_count == GIVEN_VALUES_MOST)
    return read_bound(plan, values[GIVEN_EPS_LOW], values[GIVEN_EPS_HIGH], values[GIVEN_MODE]);
  if (value_count == GIVEN_VALUES_MOST - 1) return read_bound(plan, values[GIVEN_EPS_LOW], values[GIVEN_EPS_HIGH], 0);
  return "it takes two or three options: the low and high 32 bits of eps as a float64, and the mode; lockstep_h5 makes them";
}

bool plan_has_shape(const chunk_plan *plan) {
  const uint64_t frame = (uint64_t)plan->atoms * plan->axes;
  return (plan->element_bytes == 4 || plan->element_bytes == 8) && plan->axes >= 1 && plan->axes <= AXES_MOST &&
         plan->frames >= 1 && frame >= 1 && frame <= FRAME_VALUES_MOST &&
         frame * plan->element_bytes <= CHUNK_BYTES_MOST / plan->frames;
}

const char *plan_set_shape(chunk_plan *plan, int rank, const unsigned long long dimensions[], uint32_t element_bytes) {
  if (rank < 1 || rank > RANK_MOST) return "it takes chunks of one to four dimensions, time along the first";
  unsigned long long frame = 1;
  for (int i = 1; i < rank; i++) {
    if (dimensions[i] < 1 || dimensions[i] > FRAME_VALUES_MOST / frame)
      return "a chunk holds more than 67,108,864 values of one time: make it smaller along the other dimensions";
    frame *= dimensions[i];
  }
  const unsigned long long last = dimensions[rank - 1];
  plan->axes = rank > 2 && last <= AXES_MOST ? (uint32_t)last : 1;
  plan->atoms = (uint32_t)(frame / plan->axes);
  plan->element_bytes = element_bytes;
  plan->frames = dimensions[0] > UINT32_MAX ? 0 : (uint32_t)dimensions[0];
  return plan_has_shape(plan) ? NULL : "a chunk must hold a value, and less than 4 GiB";
}

bool plan_read(chunk_plan *plan, size_t value_count, const unsigned values[]) {
  if (value_count != PLAN_VALUES || plan_read_bound(plan, value_count, values) != NULL) return false;
  plan->element_bytes = values[ELEMENT_BYTES];
  plan->axes = values[AXES];
  plan->frames = values[FRAMES];
  plan->atoms = values[ATOMS];
  return plan_has_shape(plan);
}

void plan_write(const chunk_plan *plan, unsigned values[PLAN_VALUES]) {
  uint64_t bits;
  memcpy(&bits, &plan->eps, sizeof bits);
  values[MARK] = PLAN_MARK;
  values[ELEMENT_BYTES] = plan->element_bytes;
  values[AXES] = plan->axes;
  values[FRAMES] = plan->frames;
  values[ATOMS] = plan->atoms;
  values[PLAN_EPS_LOW] = (unsigned)(bits & UINT32_MAX);
  values[PLAN_EPS_HIGH] = (unsigned)(bits >> 32);
  values[PLAN_MODE] = plan->mode;
}

size_t plan_bytes(const chunk_plan *plan) {
  return (size_t)plan->frames * plan->atoms * plan->axes * plan->element_bytes;
}
