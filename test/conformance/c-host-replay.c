/*
 * Replays what happened to a device, read from standard input, and tells what it answered on standard output: the C host
 * that c-host.test.ts compares with the one in TypeScript. Numbers are little-endian.
 *
 *     first    i32 each: channels, e, lattice, frame samples, silence ms, mtu, ring bytes, out bytes, nonce, epoch, and
 *              1 when the ring's bytes follow, 1 for messages in parts
 *     T        u32 clock, ms
 *     S        i32 samples, u8 statuses, per channel     answers i32
 *     R        u32 length, bytes of a message heard      answers i32
 *     P        everything to send                        answers u32 length, u8 topic, bytes, each; then u32 0
 *     O        u32 online: the presence                  answers like one message of P
 *     F C D    flush, connected, disconnected            F answers i32
 *     I        the ring's bytes                          answers them
 */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

enum { CONFIG_NUMBERS = 12 };

static uint8_t memory[65536] __attribute__((aligned(8)));
static uint8_t ring[65536];
static uint8_t message[65536];
static device replayed;
static uint32_t now_ms;
static bool in_parts;

static void fail(int code) {
  fflush(stdout);
  exit(code);
}

void wasm_rt_trap(wasm_rt_trap_t reason) {
  fprintf(stderr, "trap %d\n", (int)reason);
  fail(100 + (int)reason);
  abort();
}

static void get(void *bytes, size_t length) {
  if (fread(bytes, 1, length, stdin) != length) fail(3);
}

static void put(const void *bytes, size_t length) {
  if (fwrite(bytes, 1, length, stdout) != length) fail(4);
}

static uint32_t get_u32(void) {
  uint32_t value = 0;
  get(&value, sizeof value);
  return value;
}

static void put_i32(int32_t value) {
  put(&value, sizeof value);
}

static int64_t time_us(void) {
  return (int64_t)now_ms * 1000;
}

static void put_message(int32_t length, const uint8_t *bytes) {
  const uint8_t topic = (uint8_t)edge_link_topic(&replayed.core);
  put_i32(length);
  put(&topic, 1);
  put(bytes, (size_t)length);
}

static int32_t begin(void) {
  static char names[EDGE_MAX_CHANNELS][4];
  static const uint8_t model[32] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
  device_channel channels[EDGE_MAX_CHANNELS];
  int32_t n[CONFIG_NUMBERS];
  for (int i = 0; i < CONFIG_NUMBERS; i++) n[i] = (int32_t)get_u32();
  for (int32_t c = 0; c < n[0] && c < EDGE_MAX_CHANNELS; c++) {
    snprintf(names[c], sizeof names[c], "c%u", (unsigned)c % 100u);
    channels[c] = (device_channel){names[c], "g", n[1], n[2], 0, -5, 3, -20, 3 * (int64_t)n[1], -20};
  }
  const device_plan plan = {"raw-1", "fw-1.0", model, channels, n[0], n[3], n[4], n[5], n[6], n[7], 10000000, n[11] != 0};
  in_parts = plan.in_parts;
  const int32_t status = device_begin(&replayed, &plan, memory, sizeof memory);
  if (status < 0) return status;
  if (n[10] == 0) return device_open(&replayed, (uint32_t)n[8], (uint32_t)n[9], now_ms);
  get(ring, (size_t)n[6]);
  return device_restore(&replayed, ring, (uint32_t)n[8], now_ms);
}

static void sample(void) {
  int32_t samples[EDGE_MAX_CHANNELS];
  uint8_t statuses[EDGE_MAX_CHANNELS];
  get(samples, 4 * (size_t)replayed.channel_count);
  get(statuses, (size_t)replayed.channel_count);
  put_i32(device_sample(&replayed, samples, statuses, time_us(), now_ms));
}

static void receive(void) {
  const uint32_t length = get_u32();
  if (length > sizeof message) fail(5);
  get(message, length);
  put_i32(device_receive(&replayed, message, length, now_ms));
}

/** What the core leaves to its caller between two calls holds nothing that it needs. */
static void spoil_scratch(void) {
  edge_core *core = &replayed.core;
  const edge_address notes_end = edge_config_address(core) + EDGE_CONFIG_BYTES + EDGE_NOTES_BYTES;
  const edge_address notes = edge_spare_end(core);
  memset(edge_bytes(core, notes, notes_end - notes), 0xa5, notes_end - notes);
  memset(edge_bytes(core, edge_link_view(core), EDGE_SCRATCH_BYTES), 0x5a, EDGE_SCRATCH_BYTES);
}

/** The next message in one piece. */
static int32_t poll_whole(const uint8_t **bytes) {
  spoil_scratch();
  if (!in_parts) return device_poll(&replayed, bytes, time_us(), now_ms);
  byte_span parts[DEVICE_PARTS];
  const int32_t length = device_poll_parts(&replayed, parts, time_us(), now_ms);
  uint32_t gathered = 0;
  for (int i = 0; i < DEVICE_PARTS && length > 0; i++) {
    memcpy(message + gathered, parts[i].bytes, parts[i].length);
    gathered += parts[i].length;
  }
  if (length > 0 && gathered != (uint32_t)length) fail(8);
  *bytes = message;
  return length;
}

static void poll_all(void) {
  const uint8_t *bytes = NULL;
  int32_t length = 0;
  while ((length = poll_whole(&bytes)) > 0) put_message(length, bytes);
  put_i32(length);
}

static void presence(void) {
  const int32_t length = edge_link_presence(&replayed.core, get_u32());
  if (length < 0) fail(6);
  put_message(length, edge_bytes(&replayed.core, edge_link_message(&replayed.core), (uint32_t)length));
}

static void step(int what) {
  spoil_scratch();
  switch (what) {
    case 'T': now_ms = get_u32(); break;
    case 'S': sample(); break;
    case 'R': receive(); break;
    case 'P': poll_all(); break;
    case 'O': presence(); break;
    case 'F': put_i32(edge_link_flush(&replayed.core, time_us(), now_ms)); break;
    case 'C': edge_link_connected(&replayed.core, now_ms); break;
    case 'D': edge_link_disconnected(&replayed.core); break;
    case 'I': put(device_ring(&replayed), replayed.ring_bytes); break;
    default: fail(7);
  }
}

int main(void) {
  const int32_t status = begin();
  put_i32(status);
  for (int what = getchar(); what != EOF; what = getchar()) step(what);
  fail(0);
}
