#include "device.h"

/** A keyframe's header in the ring, and the most that a payload takes there; it also fits into a message. */
#define RECORD_HEADER_BYTES 44u
#define PAYLOAD_BYTES_MAX 4096u
/** Of one channel in the configuration block, where a device with fewer channels leaves theirs to the caller. */
#define CHANNEL_CONFIG_BYTES ((uint32_t)EDGE_CONFIG_BYTES / (uint32_t)EDGE_MAX_CHANNELS)

/** Bytes of what a birth tells, at their most; together they fit into the scratch. */
enum { MODEL_BYTES = 32, FIRMWARE_BYTES_MAX = 32, CHANNEL_NAME_BYTES_MAX = 32, UNIT_BYTES_MAX = 16 };
/** Of a birth in parts in the buffer for messages, besides the device's name. */
#define BIRTH_HEAD_BYTES 24u

/** Of the link's view (edge_core.h). */
enum { VIEW_MESSAGE = 8, VIEW_REST = 72, VIEW_REST_BYTES = 76 };

/** A part of the core's memory, handed out from `next` on. */
typedef struct {
  edge_address next;
  edge_address end;
} room;

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

/** What lies at an address that the core gave, or take(). */
static uint8_t *bytes_at(edge_core *core, edge_address at) {
  return core->w2c_memory.data + at;
}

static int32_t text_bytes(const char *text) {
  int32_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

/** Copy bytes to an address, of which there is room for the longest that the core takes. @returns the address behind them */
static edge_address put(edge_core *core, edge_address at, const void *bytes, int32_t length, int32_t most) {
  const uint32_t kept = (uint32_t)(length < most ? length : most);
  memcpy(bytes_at(core, at), bytes, kept);
  return at + kept;
}

/** Write the birth, its texts lent room in the scratch. @returns its bytes or a status */
static int32_t describe(edge_core *core, const device_plan *plan, edge_address name, edge_address birth, uint32_t bytes) {
  const edge_address text = edge_link_view(core);
  const int32_t firmware_bytes = text_bytes(plan->firmware);
  const edge_address firmware = put(core, text, plan->model, MODEL_BYTES, MODEL_BYTES);
  put(core, firmware, plan->firmware, firmware_bytes, FIRMWARE_BYTES_MAX);
  int32_t status = edge_link_describe(core, birth, (int32_t)bytes, name, text_bytes(plan->name), plan->period_ns, text,
                                      firmware, firmware_bytes);
  for (int32_t c = 0; c < plan->channel_count && status >= 0; c++) {
    const device_channel *of = &plan->channels[c];
    const int32_t name_bytes = text_bytes(of->name);
    const int32_t unit_bytes = text_bytes(of->unit);
    const edge_address unit = put(core, text, of->name, name_bytes, CHANNEL_NAME_BYTES_MAX);
    put(core, unit, of->unit, unit_bytes, UNIT_BYTES_MAX);
    status = edge_link_channel(core, text, name_bytes, unit, unit_bytes, of->e, of->lattice, of->history_shift, of->offset,
                               of->mantissa, of->exponent, of->eps_mantissa, of->eps_exponent);
  }
  return status;
}

int32_t device_begin(device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes) {
  edge_core *core = &self->core;
  /* The ring is at the end, wherever the module has the rest, and keeps what it holds. */
  self->ring_bytes = (uint32_t)plan->ring_bytes;
  self->ring = (bytes - self->ring_bytes) & ~7u;
  if (self->ring > bytes) return DEVICE_MEMORY_SMALL;
  edge_start(core, memory, self->ring);
  w2c_core_memory(core)->size = bytes;
  int32_t status = edge_link_begin(core, plan->channel_count, plan->frame_samples, plan->silence_ms, plan->mtu);
  /* Their history shifts decide how long the state is. */
  for (int32_t c = 0; c < plan->channel_count && status >= 0; c++) {
    const device_channel *channel = &plan->channels[c];
    status = edge_codec_set_channel(core, c, channel->e, channel->lattice, channel->history_shift);
  }
  if (status < 0) return status;
  const uint32_t channels = (uint32_t)plan->channel_count;
  const uint32_t out_bytes = (uint32_t)plan->out_bytes;
  const int32_t name_bytes = text_bytes(plan->name);
  room rest = {edge_free_address(core), self->ring};
  self->channel_count = plan->channel_count;
  self->record_bytes = RECORD_HEADER_BYTES + (out_bytes < PAYLOAD_BYTES_MAX ? out_bytes : PAYLOAD_BYTES_MAX);
  self->samples = take(&rest, 4 * channels);
  self->statuses = take(&rest, channels);
  const edge_address name = take(&rest, (uint32_t)name_bytes);
  /* What the channels leave of the configuration block, and the notes behind it, which no row needs while a message is sent. */
  const edge_address notes_end = edge_config_address(core) + (uint32_t)EDGE_CONFIG_BYTES + EDGE_NOTES_BYTES;
  const edge_address spare = notes_end - EDGE_NOTES_BYTES - (EDGE_MAX_CHANNELS - channels) * CHANNEL_CONFIG_BYTES;
  edge_address spare_end = edge_spare_end(core);
  uint32_t out_room = (uint32_t)name_bytes + BIRTH_HEAD_BYTES;
  if (out_room < EDGE_OUT_BYTES_LEAST) out_room = EDGE_OUT_BYTES_LEAST;
  edge_address out = notes_end - out_room;
  if (!plan->in_parts || plan->mtu != 0) out_room = out_bytes;
  if (out_room == out_bytes || out < spare) out = take(&rest, out_room);
  else if (out < spare_end) spare_end = out;
  if (rest.end == 0) return DEVICE_MEMORY_SMALL;
  status = edge_link_memory(core, self->ring, plan->ring_bytes, out, (int32_t)out_room, plan->out_bytes);
  if (status < 0) return status;
  put(core, name, plan->name, name_bytes, name_bytes);
  /* How much the birth needs is known when it is written: in the spare, and if that is too little, in what is left. */
  edge_address birth = spare;
  uint32_t birth_room = notes_end - spare;
  uint32_t birth_most = spare_end - spare;
  for (;;) {
    status = describe(core, plan, name, birth, birth_room);
    if (status != EDGE_STATUS_OUT_SMALL && status <= (int32_t)birth_most) return status < 0 ? status : 0;
    if (birth != spare) return DEVICE_MEMORY_SMALL;
    birth = take(&rest, 0);
    birth_room = rest.end - birth;
    birth_most = birth_room;
  }
}

int32_t device_open(device *self, uint32_t nonce, uint32_t epoch, uint32_t now_ms) {
  return edge_link_open(&self->core, nonce, epoch, now_ms);
}

int32_t device_restore(device *self, const uint8_t *ring, uint32_t nonce, uint32_t now_ms) {
  if (ring != NULL) memcpy(bytes_at(&self->core, self->ring), ring, self->ring_bytes);
  return edge_link_restore(&self->core, nonce, now_ms);
}

int32_t device_sample(device *self, const int32_t *samples, const uint8_t *statuses, int64_t time_us, uint32_t now_ms) {
  const uint32_t channels = (uint32_t)self->channel_count;
  memcpy(bytes_at(&self->core, self->samples), samples, 4 * channels);
  uint8_t *kept = bytes_at(&self->core, self->statuses);
  if (statuses == NULL) memset(kept, EDGE_SAMPLE_OK, channels);
  else memcpy(kept, statuses, channels);
  return edge_link_sample(&self->core, self->samples, self->statuses, time_us, now_ms);
}

int32_t device_receive(device *self, const uint8_t *message, uint32_t length, uint32_t now_ms) {
  if (length > DEVICE_INPUT_BYTES) return DEVICE_MESSAGE_LONG;
  const edge_address input = edge_link_view(&self->core);
  memcpy(bytes_at(&self->core, input), message, length);
  return edge_link_receive(&self->core, input, (int32_t)length, now_ms);
}

/** A number of the link's view. */
static uint32_t number_at(const uint8_t *at) {
  uint32_t number;
  memcpy(&number, at, sizeof number); /* chip and module are little-endian both (wasm-rt.h) */
  return number;
}

int32_t device_poll_parts(device *self, byte_span parts[DEVICE_PARTS], int64_t time_us, uint32_t now_ms) {
  edge_core *core = &self->core;
  const int32_t length = edge_link_poll(core, time_us, now_ms);
  if (length <= 0) return length;
  const uint8_t *view = bytes_at(core, edge_link_view(core));
  const uint32_t rest_bytes = number_at(view + VIEW_REST_BYTES);
  const uint32_t front_bytes = (uint32_t)length - rest_bytes - EDGE_SEAL_BYTES;
  const uint8_t *front = bytes_at(core, number_at(view + VIEW_MESSAGE));
  parts[0] = (byte_span){front, front_bytes};
  parts[1] = (byte_span){bytes_at(core, number_at(view + VIEW_REST)), rest_bytes};
  parts[2] = (byte_span){front + front_bytes, EDGE_SEAL_BYTES};
  return length;
}

int32_t device_poll(device *self, const uint8_t **message, int64_t time_us, uint32_t now_ms) {
  const int32_t length = edge_link_poll(&self->core, time_us, now_ms);
  if (length > 0) *message = bytes_at(&self->core, edge_link_message(&self->core));
  return length;
}

const uint8_t *device_ring(device *self) {
  return bytes_at(&self->core, self->ring);
}
