#include "block-codec.h"

#include <math.h>
#include <string.h>

#include "axis-order.h"
#include "block-scale.h"
#include "core-instance.h"

/** About 15 bytes of scratch for each. */
#define BLOCK_VALUES_MOST (1u << 24)
#define ALIGNMENT 16u
/** Bins of sqrt(3) eps have a root mean square of eps / 2 where errors are even; then narrower ones, until it is so. */
#define RMS_HALF_STEP 0.8660254037844386
#define RMS_NARROWER 0.97
#define RMS_TRIES 8

/** Where things are in the core's memory. */
typedef struct {
  uint32_t sums;   /* two f64: the largest of something, and squares */
  uint32_t source; /* values, by frame, axis and atom */
  uint32_t back;   /* values of one frame */
  uint32_t plane;  /* fixed-point values */
  uint32_t work;
  uint32_t coded;
} layout;

static uint64_t aligned(uint64_t bytes) {
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint32_t stride_of(const chunk_plan *plan) {
  return w2c_trajectory_strideOf(core_instance(), plan->axes, plan->atoms);
}

uint32_t block_frames_most(const chunk_plan *plan) {
  const uint32_t most = *w2c_trajectory_MAX_FRAMES(core_instance());
  const uint32_t room = BLOCK_VALUES_MOST / (plan->atoms * plan->axes);
  return room < 1 ? 1 : room < most ? room : most;
}

/** @param source_bytes, coded_bytes  room for each */
static bool lay_out(const chunk_plan *plan, uint32_t frames, uint64_t source_bytes, uint64_t coded_bytes, layout *at) {
  /* An instance, before it is asked. */
  if (core_reserve(0) == 0) return false;
  const uint64_t frame_bytes = aligned((uint64_t)plan->atoms * plan->axes * plan->element_bytes);
  const uint64_t plane_bytes = aligned(4ull * frames * stride_of(plan));
  const uint64_t work_bytes =
      aligned(w2c_trajectory_workBytes(core_instance(), frames, plan->axes, plan->atoms));
  const uint64_t slack = *w2c_trajectory_SLACK_BYTES(core_instance());
  const uint64_t sums_bytes = aligned(2 * sizeof(double));
  const uint64_t all =
      sums_bytes + aligned(source_bytes) + frame_bytes + plane_bytes + work_bytes + aligned(coded_bytes + slack);
  at->sums = core_reserve(all);
  if (at->sums == 0) return false;
  at->source = at->sums + (uint32_t)sums_bytes;
  at->back = at->source + (uint32_t)aligned(source_bytes);
  at->plane = at->back + (uint32_t)frame_bytes;
  at->work = at->plane + (uint32_t)plane_bytes;
  at->coded = at->work + (uint32_t)work_bytes;
  return true;
}

/** Decode what was coded and compare. @returns whether every value is within eps of its source */
static bool is_within(const chunk_plan *plan, uint32_t frames, const layout *at, const block_scale *with,
                      uint32_t bytes) {
  const uint32_t count = plan->atoms * plan->axes;
  const uint32_t stride = stride_of(plan);
  memset(core_at(at->coded + bytes), 0, *w2c_trajectory_SLACK_BYTES(core_instance()));
  if (w2c_trajectory_checkBlock(core_instance(), at->coded, bytes, frames, plan->axes, plan->atoms, at->plane, 0, 0,
                                at->work) != 0)
    return false;
  memset(core_at(at->sums), 0, 2 * sizeof(double));
  for (uint32_t frame = 0; frame < frames; frame++)
    w2c_trajectory_worstFixedError(core_instance(), at->source + frame * count * plan->element_bytes,
                                   at->plane + 4 * frame * stride, count, plan->element_bytes, with->unit, INFINITY,
                                   at->sums);
  double largest;
  memcpy(&largest, core_at(at->sums), sizeof largest);
  return largest <= plan->eps;
}

/** Of the block that `is_within` looked at. */
static double root_mean_square(const layout *at, double count) {
  double squares;
  memcpy(&squares, core_at(at->sums + (uint32_t)sizeof squares), sizeof squares);
  return sqrt(squares / count);
}

bool block_encode(const chunk_plan *plan, uint32_t frames, const uint8_t *values, coded_block *block) {
  const uint32_t frame_values = plan->atoms * plan->axes;
  const size_t frame_bytes = (size_t)frame_values * plan->element_bytes;
  layout at;
  if (core_reserve(0) == 0) return false;
  const uint64_t room = w2c_trajectory_outBytes(core_instance(), frames, plan->axes, plan->atoms);
  if (!lay_out(plan, frames, frames * frame_bytes, room, &at)) return false;
  for (uint32_t frame = 0; frame < frames; frame++)
    split_axes(plan, values + frame * frame_bytes, core_at(at.source) + frame * frame_bytes);
  const block_values source = {at.source, frames, frame_values, plan->element_bytes};
  double half_step = plan->mode == MODE_RMS ? plan->eps * RMS_HALF_STEP : plan->eps;
  for (int attempt = 0; attempt < RMS_TRIES; attempt++) {
    block_scale scale;
    if (!scale_choose(plan, half_step, &source, at.sums, &scale)) return false;
    scale_apply(&scale, &source, at.plane, stride_of(plan), at.back);
    const int32_t bytes = (int32_t)w2c_trajectory_encodeBlock(core_instance(), frames, plan->axes, plan->atoms,
                                                              scale.sub_bits, at.plane, 0, 0, at.work, at.coded);
    if (bytes < 0 || !is_within(plan, frames, &at, &scale, (uint32_t)bytes)) return false;
    if (plan->mode != MODE_RMS || root_mean_square(&at, (double)frames * frame_values) < plan->eps / 2) {
      *block = (coded_block){at.coded, (uint32_t)bytes, scale.unit};
      return true;
    }
    half_step *= RMS_NARROWER;
  }
  return false;
}

bool block_decode(const chunk_plan *plan, uint32_t frames, double unit, const uint8_t *coded, uint32_t bytes,
                  uint8_t *values) {
  const uint32_t count = plan->atoms * plan->axes;
  const size_t frame_bytes = (size_t)count * plan->element_bytes;
  layout at;
  if (!lay_out(plan, frames, 0, bytes, &at)) return false;
  const uint32_t stride = stride_of(plan);
  memcpy(core_at(at.coded), coded, bytes);
  memset(core_at(at.coded + bytes), 0, *w2c_trajectory_SLACK_BYTES(core_instance()));
  if (w2c_trajectory_decodeBlock(core_instance(), at.coded, bytes, frames, plan->axes, plan->atoms, at.plane, 0, 0,
                                 at.work) != 0)
    return false;
  for (uint32_t frame = 0; frame < frames; frame++) {
    w2c_trajectory_fromFixed(core_instance(), at.plane + 4 * frame * stride, count, plan->element_bytes, unit, at.back);
    join_axes(plan, core_at(at.back), values + frame * frame_bytes);
  }
  return true;
}
