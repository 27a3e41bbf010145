/*
 * A whole device on a serial line.
 *
 *     samples  one sample of six channels, with all that falls due: these four
 *     takes    device_sample: copies in, the codec, and at a frame's end the record in the ring
 *     closes   those of them that ended a frame
 *     sends    device_poll_parts until there is nothing more, and serial_write_parts of each message
 *     hears    device_receive of the cloud's acknowledgement
 *
 * Its part of the input, u32 little-endian: number of messages, then each with its length in front. A welcome, then an
 * acknowledgement of the first frame, of the first two, and so on, for nonce 7 and epoch 1.
 */
#include "device.h"
#include "firmware-subject.h"
#include "json-line.h"
#include "serial-framing.h"

#define PERIOD_MS 10u
#define SILENCE_MS 60000
#define NONCE 7u
#define EPOCH 1u

enum { RING_BYTES = 8192, OUT_BYTES = 896, MESSAGES_MAX = 512, MESSAGE_BYTES_MAX = 32 };
enum { TAKES = TALLY_SAMPLES + 1, CLOSES, SENDS, HEARS };

static const uint8_t MODEL[32] = {7};
static const char *const NAMES[SIGNAL_CHANNELS] = {"ax", "ay", "az", "gx", "gy", "gz"};

static struct {
  device device;
  uint32_t line_bytes;
  uint32_t memory_bytes;
  uint32_t history_shift; /* the largest of the channels' */
  tally tallies[TALLY_COUNT];
} self;

/** Of the cloud. */
static uint32_t message_count;
static struct {
  uint32_t length;
  uint8_t bytes[MESSAGE_BYTES_MAX];
} messages[MESSAGES_MAX];

void subject_start(void) {
  message_count = read_u32();
  if (message_count > MESSAGES_MAX) board_exit(71);
  for (uint32_t i = 0; i < message_count; i++) {
    messages[i].length = read_u32();
    if (messages[i].length > MESSAGE_BYTES_MAX) board_exit(72);
    board_read(messages[i].bytes, messages[i].length);
  }
}

static int32_t begin_device(int32_t which, uint32_t bytes) {
  static device_channel channels[SIGNAL_CHANNELS]; /* in flash, where there is but one signal */
  for (int32_t c = 0; c < SIGNAL_CHANNELS; c++) {
    const signal_bound *bound = &SIGNAL_BOUNDS[which][c];
    const uint32_t shift = (uint32_t)bound->history_shift;
    if (c == 0 || shift > self.history_shift) self.history_shift = shift;
    channels[c] = (device_channel){NAMES[c], "g", bound->e, bound->lattice, bound->history_shift, 0, 1, -23, bound->e, -23};
  }
  const device_plan plan = {
      .name = "bench",
      .firmware = "1.0",
      .model = MODEL,
      .channels = channels,
      .channel_count = SIGNAL_CHANNELS,
      .frame_samples = FRAME_ROWS,
      .silence_ms = SILENCE_MS,
      .mtu = 0,
      .ring_bytes = RING_BYTES,
      .out_bytes = OUT_BYTES,
      .period_ns = 1000000LL * PERIOD_MS,
      .in_parts = true,
  };
  return device_begin(&self.device, &plan, NULL, bytes);
}

static bool count_byte(void *line, uint8_t byte) {
  (void)byte;
  (*(uint32_t *)line)++;
  return true;
}

static uint32_t send_all(uint32_t now_ms) {
  byte_span parts[DEVICE_PARTS];
  int32_t length = 0;
  const board_count start = tally_start();
  while ((length = device_poll_parts(&self.device, parts, (int64_t)now_ms * 1000, now_ms)) > 0) {
    serial_write_parts(parts, DEVICE_PARTS, count_byte, &self.line_bytes);
  }
  const uint32_t instructions = tally_stop(start);
  expect(length);
  return instructions;
}

static uint32_t hear(uint32_t which, uint32_t now_ms) {
  if (which >= message_count) board_exit(73);
  const board_count start = tally_start();
  const int32_t status = device_receive(&self.device, messages[which].bytes, messages[which].length, now_ms);
  const uint32_t instructions = tally_stop(start);
  expect(status);
  return instructions;
}

/** In the least memory that the device can be begun in. */
void subject_begin(int32_t which) {
  self.memory_bytes = WASM_RT_MEMORY_BYTES;
  while (begin_device(which, self.memory_bytes - 8) != DEVICE_MEMORY_SMALL) self.memory_bytes -= 8;
  expect(begin_device(which, self.memory_bytes));
  expect(device_open(&self.device, NONCE, EPOCH, 0));
  edge_link_connected(&self.device.core, 0);
  send_all(0);
  hear(0, 0);
  self.line_bytes = 0;
  memset(self.tallies, 0, sizeof self.tallies);
}

void subject_row(uint32_t row, const int32_t *samples, const uint8_t *statuses) {
  const uint32_t now_ms = row * PERIOD_MS;
  const board_count start = tally_start();
  const int32_t has_frame = device_sample(&self.device, samples, statuses, (int64_t)now_ms * 1000, now_ms);
  const uint32_t of_take = tally_stop(start);
  expect(has_frame);
  const uint32_t of_send = send_all(now_ms);
  tally_add(&self.tallies[TAKES], of_take);
  tally_add(&self.tallies[SENDS], of_send);
  uint32_t of_hear = 0;
  if (has_frame) {
    of_hear = hear(edge_link_next_seq(&self.device.core), now_ms);
    tally_add(&self.tallies[CLOSES], of_take);
    tally_add(&self.tallies[HEARS], of_hear);
  }
  tally_add(&self.tallies[TALLY_SAMPLES], of_take + of_send + of_hear);
}

void subject_tell(void) {
  tally_tell(&self.tallies[TALLY_SAMPLES], "samples");
  tally_tell(&self.tallies[TAKES], "takes");
  tally_tell(&self.tallies[CLOSES], "closes");
  tally_tell(&self.tallies[SENDS], "sends");
  tally_tell(&self.tallies[HEARS], "hears");
  json_number("producedBytes", self.line_bytes);
  json_number("unconfirmedFrames", edge_link_unconfirmed_frames(&self.device.core));
  json_number("evictedSamples", (uint32_t)edge_link_evicted_samples(&self.device.core));
  json_number("historyShift", self.history_shift);
  json_number("belowStateBytes", edge_state_address(&self.device.core));
  json_number("memoryBytes", self.memory_bytes - RING_BYTES);
  json_number("instanceBytes", sizeof self.device - WASM_RT_MEMORY_BYTES);
  /* With few channels they are in the core's own memory, which is counted already. */
  const edge_address message = edge_link_message(&self.device.core);
  json_number("messageBytes", message < edge_state_address(&self.device.core) ? 0 : EDGE_OUT_BYTES_LEAST);
}

uint8_t *subject_bytes(uint32_t *length) {
  *length = sizeof self;
  return (uint8_t *)&self;
}
