#include "chunk-codec.h"

#include <math.h>
#include <string.h>

#include "block-codec.h"
#include "core-instance.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "numbers of a chunk are copied as they lie in memory: a big-endian computer is not supported"
#endif

static const uint8_t PLAIN_TAG[4] = {'L', 'K', 'H', '0'};
static const uint8_t CODED_TAG[4] = {'L', 'K', 'H', '1'};
#define TAG_BYTES sizeof(PLAIN_TAG)

enum {
  CRC_AT = 4,
  CHECKED_AT = 8,
  ELEMENT_AT = 8,
  AXES_AT = 9,
  RESERVED_AT = 10,
  FRAMES_AT = 12,
  ATOMS_AT = 16,
  HEAD_BYTES = 20,
  BLOCK_FRAMES_AT = 0,
  BLOCK_BYTES_AT = 4,
  BLOCK_UNIT_AT = 8,
  BLOCK_HEAD_BYTES = 16
};

static void put_u32(uint8_t *at, uint32_t value) {
  memcpy(at, &value, sizeof value);
}

static uint32_t get_u32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

/** CRC-32C by the core, through its memory. @returns false where there is none */
static bool checksum(const uint8_t *from, size_t bytes, uint32_t *crc) {
  const uint32_t at = core_reserve(bytes);
  if (at == 0) return false;
  memcpy(core_at(at), from, bytes);
  *crc = w2c_trajectory_crc32c(core_instance(), 0, at, (uint32_t)bytes);
  return true;
}

/** One chunk's way through the core. Where a coded chunk would be no smaller, `is_done` stays false. */
typedef struct {
  const chunk_plan *plan;
  const uint8_t *in;
  size_t in_bytes;
  chunk_bytes *out;
  bool is_done;
} passage;

static void encode_blocks(void *context) {
  passage *const self = context;
  const chunk_plan *const plan = self->plan;
  const size_t frame_bytes = plan_bytes(plan) / plan->frames;
  uint8_t *const out = self->out->data;
  size_t length = HEAD_BYTES;
  if (core_reserve(0) == 0 || length > self->out->room) return;
  const uint32_t most = block_frames_most(plan);
  for (uint32_t first = 0; first < plan->frames;) {
    const uint32_t frames = plan->frames - first < most ? plan->frames - first : most;
    coded_block block;
    if (!block_encode(plan, frames, self->in + first * frame_bytes, &block)) return;
    if ((size_t)block.bytes + BLOCK_HEAD_BYTES > self->out->room - length) return;
    put_u32(out + length + BLOCK_FRAMES_AT, frames);
    put_u32(out + length + BLOCK_BYTES_AT, block.bytes);
    memcpy(out + length + BLOCK_UNIT_AT, &block.unit, sizeof block.unit);
    memcpy(out + length + BLOCK_HEAD_BYTES, core_at(block.at), block.bytes);
    length += BLOCK_HEAD_BYTES + block.bytes;
    first += frames;
  }
  memcpy(out, CODED_TAG, TAG_BYTES);
  out[ELEMENT_AT] = (uint8_t)plan->element_bytes;
  out[AXES_AT] = (uint8_t)plan->axes;
  memset(out + RESERVED_AT, 0, FRAMES_AT - RESERVED_AT);
  put_u32(out + FRAMES_AT, plan->frames);
  put_u32(out + ATOMS_AT, plan->atoms);
  uint32_t crc;
  if (!checksum(out + CHECKED_AT, length - CHECKED_AT, &crc)) return;
  put_u32(out + CRC_AT, crc);
  self->out->bytes = length;
  self->is_done = true;
}

bool chunk_encode(const chunk_plan *plan, const uint8_t *chunk, size_t bytes, hdf5_memory memory, chunk_bytes *out) {
  *out = (chunk_bytes){memory.allocate(bytes + TAG_BYTES, false), 0, bytes + TAG_BYTES};
  if (out->data == NULL) return false;
  passage through = {plan, chunk, bytes, out, false};
  if (plan != NULL && bytes == plan_bytes(plan)) core_run(encode_blocks, &through);
  if (!through.is_done) {
    memcpy(out->data, PLAIN_TAG, TAG_BYTES);
    memcpy(out->data + TAG_BYTES, chunk, bytes);
    out->bytes = bytes + TAG_BYTES;
  }
  return true;
}

static void decode_blocks(void *context) {
  passage *const self = context;
  const chunk_plan *const plan = self->plan;
  const size_t frame_bytes = plan_bytes(plan) / plan->frames;
  uint32_t crc;
  if (!checksum(self->in + CHECKED_AT, self->in_bytes - CHECKED_AT, &crc) || crc != get_u32(self->in + CRC_AT)) return;
  size_t at = HEAD_BYTES;
  for (uint32_t first = 0; first < plan->frames;) {
    if (self->in_bytes - at < BLOCK_HEAD_BYTES) return;
    const uint32_t frames = get_u32(self->in + at + BLOCK_FRAMES_AT);
    const uint32_t bytes = get_u32(self->in + at + BLOCK_BYTES_AT);
    double unit;
    memcpy(&unit, self->in + at + BLOCK_UNIT_AT, sizeof unit);
    at += BLOCK_HEAD_BYTES;
    if (frames < 1 || frames > plan->frames - first || bytes > self->in_bytes - at) return;
    if (!(unit > 0) || isinf(unit)) return;
    if (!block_decode(plan, frames, unit, self->in + at, bytes, self->out->data + first * frame_bytes)) return;
    at += bytes;
    first += frames;
  }
  self->is_done = at == self->in_bytes;
}

/** The shape that a coded chunk says it has. */
static chunk_plan plan_of_head(const uint8_t *coded) {
  return (chunk_plan){
      .element_bytes = coded[ELEMENT_AT],
      .axes = coded[AXES_AT],
      .frames = get_u32(coded + FRAMES_AT),
      .atoms = get_u32(coded + ATOMS_AT),
  };
}

const char *chunk_decode(const chunk_plan *plan, const uint8_t *coded, size_t bytes, hdf5_memory memory,
                         chunk_bytes *out) {
  *out = (chunk_bytes){NULL, 0, 0};
  if (bytes >= TAG_BYTES && memcmp(coded, PLAIN_TAG, TAG_BYTES) == 0) {
    out->bytes = out->room = bytes - TAG_BYTES;
    if (plan != NULL && out->bytes < plan_bytes(plan)) return "a chunk is shorter than it must be";
    out->data = memory.allocate(out->room > 0 ? out->room : 1, false);
    if (out->data == NULL) return "there is no memory for a chunk";
    memcpy(out->data, coded + TAG_BYTES, out->bytes);
    return NULL;
  }
  if (bytes < HEAD_BYTES || memcmp(coded, CODED_TAG, TAG_BYTES) != 0) return "a chunk is none of this filter's";
  const chunk_plan said = plan_of_head(coded);
  if (!plan_has_shape(&said)) return "a chunk is damaged";
  if (plan != NULL && (plan->element_bytes != said.element_bytes || plan->axes != said.axes ||
                       plan->frames != said.frames || plan->atoms != said.atoms))
    return "a chunk has another shape than its dataset";
  out->bytes = out->room = plan_bytes(&said);
  out->data = memory.allocate(out->room, false);
  if (out->data == NULL) return "there is no memory for a chunk";
  passage through = {&said, coded, bytes, out, false};
  if (core_run(decode_blocks, &through) && through.is_done) return NULL;
  memory.release(out->data);
  out->data = NULL;
  return "a chunk is damaged, or there is no memory to decode it";
}
