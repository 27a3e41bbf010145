#include "device.h"

/** A keyframe's header in the ring, and the most that a payload takes there; it also fits into a message. */
#define RECORD_HEADER_BYTES 44u
#define PAYLOAD_BYTES_MAX 4096u
/** Of one channel in the configuration block, where a device with fewer channels leaves theirs to the caller. */
#define CHANNEL_CONFIG_BYTES ((uint32_t)EDGE_CONFIG_BYTES / (uint32_t)EDGE_MAX_CHANNELS)

/** A part of the core's memory, handed out from `next` on. */
typedef struct {
  edge_address next;
  edge_address end;
} room;

/** What there is to hand out: behind the channels' configuration, and behind the core's own memory. */
typedef struct {
  edge_core *core;
  room spare;
  room rest;
} rooms;

/** Take 8-byte aligned room. @returns its address; 0 when there is too little, and from then on */
static edge_address take(room *from, uint32_t bytes) {
  const edge_address at = (from->next + 7u) & ~7u;
  if (at > from->end || bytes > from->end - at) {
    from->end = 0;
    return 0;
  }
  from->next = at + bytes;
  return at;
}

/** Take room for something small: in the gap, where it fits. @returns its address; 0 as `take` of the rest */
static edge_address take_small(rooms *from, uint32_t bytes) {
  const edge_address at = take(&from->spare, bytes);
  return at != 0 ? at : take(&from->rest, bytes);
}

/** Copy bytes to an address that there may be no room at. @returns the address */
static edge_address put(edge_core *core, edge_address at, const void *bytes, uint32_t length) {
  if (at != 0) memcpy(edge_bytes(core, at, length), bytes, length);
  return at;
}

static int32_t text_bytes(const char *text) {
  int32_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

/** Copy a text to where it has room. @returns its address, or 0 */
static edge_address put_text(edge_core *core, room *in, const char *text) {
  const uint32_t length = (uint32_t)text_bytes(text);
  return put(core, take(in, length), text, length);
}

/** @param out  where messages will be composed: until then it lends its room to texts */
static int32_t describe_channel(edge_core *core, room out, const device_channel *channel) {
  const edge_address name = put_text(core, &out, channel->name);
  const edge_address unit = put_text(core, &out, channel->unit);
  if (unit == 0) return DEVICE_MEMORY_SMALL;
  return edge_link_channel(core, name, text_bytes(channel->name), unit, text_bytes(channel->unit), channel->e,
                           channel->lattice, channel->history_shift, channel->offset, channel->mantissa, channel->exponent,
                           channel->eps_mantissa, channel->eps_exponent);
}

/** The birth takes what is left: how much it needs is known when it is written. */
static int32_t describe_device(rooms *from, room out, const device_plan *plan) {
  edge_core *core = from->core;
  const int32_t name_bytes = text_bytes(plan->name);
  const edge_address name = put(core, take_small(from, (uint32_t)name_bytes), plan->name, (uint32_t)name_bytes);
  const edge_address birth = take(&from->rest, 0);
  const edge_address model = put(core, take(&out, 32), plan->model, 32);
  const edge_address firmware = put_text(core, &out, plan->firmware);
  if (birth == 0 || firmware == 0) return DEVICE_MEMORY_SMALL;
  return edge_link_describe(core, birth, (int32_t)(from->rest.end - birth), name, name_bytes, plan->period_ns, model,
                            firmware, text_bytes(plan->firmware));
}

int32_t device_begin(device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes) {
  edge_core *core = &self->core;
  edge_start(core, memory, bytes);
  int32_t status = edge_link_begin(core, plan->channel_count, plan->frame_samples, plan->silence_ms, plan->mtu);
  /* Their history shifts decide how long the state is. */
  for (int32_t c = 0; c < plan->channel_count && status >= 0; c++) {
    const device_channel *channel = &plan->channels[c];
    status = edge_codec_set_channel(core, c, channel->e, channel->lattice, channel->history_shift);
  }
  if (status < 0) return status;
  const uint32_t channels = (uint32_t)plan->channel_count;
  const uint32_t out_bytes = (uint32_t)plan->out_bytes;
  const edge_address spare_end = edge_config_address(core) + (uint32_t)EDGE_CONFIG_BYTES;
  const edge_address spare = spare_end - (EDGE_MAX_CHANNELS - channels) * CHANNEL_CONFIG_BYTES;
  rooms from = {core, {spare, spare_end}, {edge_free_address(core), bytes}};
  self->channel_count = plan->channel_count;
  self->ring_bytes = (uint32_t)plan->ring_bytes;
  self->record_bytes = RECORD_HEADER_BYTES + (out_bytes < PAYLOAD_BYTES_MAX ? out_bytes : PAYLOAD_BYTES_MAX);
  self->samples = take_small(&from, 4 * channels);
  self->statuses = take_small(&from, channels);
  self->input = take_small(&from, DEVICE_INPUT_BYTES);
  self->ring = take(&from.rest, self->ring_bytes);
  const edge_address out = take(&from.rest, out_bytes);
  if (out == 0) return DEVICE_MEMORY_SMALL;
  status = edge_link_memory(core, self->ring, plan->ring_bytes, out, plan->out_bytes);
  if (status < 0) return status;
  const room texts = {out, out + out_bytes};
  status = describe_device(&from, texts, plan);
  for (int32_t c = 0; c < plan->channel_count && status >= 0; c++) {
    status = describe_channel(core, texts, &plan->channels[c]);
  }
  /* By now it is the birth that has too little. */
  return status == EDGE_STATUS_OUT_SMALL ? DEVICE_MEMORY_SMALL : status < 0 ? status : 0;
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
