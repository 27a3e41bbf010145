#include "device.h"

/** Bytes that a birth takes around the texts (edge_link_describe). */
#define BIRTH_BYTES 64u
#define BIRTH_CHANNEL_BYTES 48u
/** A keyframe's header in the ring, and the most that a payload takes there; it also fits into a message. */
#define RECORD_HEADER_BYTES 44u
#define PAYLOAD_BYTES_MAX 4096u

/** Hands out the core's memory from the first free byte on. */
typedef struct {
  edge_core *core;
  edge_address next;
  bool is_full;
} room;

/** Take 8-byte aligned room. @returns its address; once nothing is left, 0 and `is_full` */
static edge_address take(room *from, uint32_t bytes) {
  const edge_address at = (from->next + 7u) & ~7u;
  if (from->is_full || edge_bytes(from->core, at, bytes) == NULL) {
    from->is_full = true;
    return 0;
  }
  from->next = at + bytes;
  return at;
}

static edge_address take_copy(room *from, const void *bytes, uint32_t length) {
  const edge_address at = take(from, length);
  if (!from->is_full) memcpy(edge_bytes(from->core, at, length), bytes, length);
  return at;
}

static uint32_t text_bytes(const char *text) {
  uint32_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

static int32_t describe_channel(room *from, const device_channel *channel) {
  const uint32_t name_bytes = text_bytes(channel->name);
  const uint32_t unit_bytes = text_bytes(channel->unit);
  const edge_address before = from->next;
  const edge_address name = take_copy(from, channel->name, name_bytes);
  const edge_address unit = take_copy(from, channel->unit, unit_bytes);
  if (from->is_full) return DEVICE_MEMORY_SMALL;
  const int32_t index = edge_link_channel(from->core, name, (int32_t)name_bytes, unit, (int32_t)unit_bytes, channel->e,
                                          channel->lattice, channel->history_shift, channel->offset, channel->mantissa,
                                          channel->exponent, channel->eps_mantissa, channel->eps_exponent);
  from->next = before; /* the birth has its own copy */
  return index < 0 ? index : 0;
}

static int32_t describe_device(room *from, const device_plan *plan) {
  const uint32_t name_bytes = text_bytes(plan->name);
  const uint32_t firmware_bytes = text_bytes(plan->firmware);
  uint32_t birth_bytes = BIRTH_BYTES + firmware_bytes;
  for (int32_t c = 0; c < plan->channel_count; c++) {
    birth_bytes += BIRTH_CHANNEL_BYTES + text_bytes(plan->channels[c].name) + text_bytes(plan->channels[c].unit);
  }
  const edge_address birth = take(from, birth_bytes);
  const edge_address name = take_copy(from, plan->name, name_bytes);
  const edge_address before = from->next;
  const edge_address model = take_copy(from, plan->model, 32);
  const edge_address firmware = take_copy(from, plan->firmware, firmware_bytes);
  if (from->is_full) return DEVICE_MEMORY_SMALL;
  const int32_t status = edge_link_describe(from->core, birth, (int32_t)birth_bytes, name, (int32_t)name_bytes,
                                            plan->period_ns, model, firmware, (int32_t)firmware_bytes);
  from->next = before;
  return status;
}

int32_t device_begin(device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes) {
  edge_core *core = &self->core;
  edge_start(core, memory, bytes);
  int32_t status = edge_link_begin(core, plan->channel_count, plan->frame_samples, plan->silence_ms, plan->mtu);
  if (status < 0) return status;
  const uint32_t channels = (uint32_t)plan->channel_count;
  room from = {core, edge_free_address(core), false};
  self->channel_count = plan->channel_count;
  self->samples = take(&from, 4 * channels);
  self->statuses = take(&from, channels);
  self->input = take(&from, DEVICE_INPUT_BYTES);
  self->ring_bytes = (uint32_t)plan->ring_bytes;
  self->ring = take(&from, self->ring_bytes);
  const edge_address out = take(&from, (uint32_t)plan->out_bytes);
  const uint32_t out_bytes = (uint32_t)plan->out_bytes;
  self->record_bytes = RECORD_HEADER_BYTES + (out_bytes < PAYLOAD_BYTES_MAX ? out_bytes : PAYLOAD_BYTES_MAX);
  if (from.is_full) return DEVICE_MEMORY_SMALL;
  status = edge_link_memory(core, self->ring, plan->ring_bytes, out, plan->out_bytes);
  if (status < 0) return status;
  status = describe_device(&from, plan);
  for (int32_t c = 0; c < plan->channel_count && status >= 0; c++) status = describe_channel(&from, &plan->channels[c]);
  return status;
}

int32_t device_open(device *self, uint32_t nonce, uint32_t epoch, uint32_t now_ms) {
  return edge_link_open(&self->core, nonce, epoch, now_ms);
}

int32_t device_restore(device *self, const uint8_t *ring, uint32_t nonce, uint32_t now_ms) {
  if (ring != NULL) memcpy(edge_bytes(&self->core, self->ring, self->ring_bytes), ring, self->ring_bytes);
  return edge_link_restore(&self->core, nonce, now_ms);
}

int32_t device_sample(device *self, const int32_t *samples, const uint8_t *statuses, int64_t time_us, uint32_t now_ms) {
  const uint32_t channels = (uint32_t)self->channel_count;
  uint8_t *kept = edge_bytes(&self->core, self->statuses, channels);
  memcpy(edge_bytes(&self->core, self->samples, 4 * channels), samples, 4 * channels);
  if (statuses == NULL) memset(kept, EDGE_SAMPLE_OK, channels);
  else memcpy(kept, statuses, channels);
  return edge_link_sample(&self->core, self->samples, self->statuses, time_us, now_ms);
}

int32_t device_receive(device *self, const uint8_t *message, uint32_t length, uint32_t now_ms) {
  if (length > DEVICE_INPUT_BYTES) return DEVICE_MESSAGE_LONG;
  memcpy(edge_bytes(&self->core, self->input, length), message, length);
  return edge_link_receive(&self->core, self->input, (int32_t)length, now_ms);
}

int32_t device_poll(device *self, const uint8_t **message, int64_t time_us, uint32_t now_ms) {
  const int32_t length = edge_link_poll(&self->core, time_us, now_ms);
  if (length > 0) *message = edge_bytes(&self->core, edge_link_message(&self->core), (uint32_t)length);
  return length;
}

const uint8_t *device_ring(device *self) {
  return edge_bytes(&self->core, self->ring, self->ring_bytes);
}
