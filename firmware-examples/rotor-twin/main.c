/*
 * A simulated rotor in firmware: six channels of an inertial sensor, paced by the board's clock, sent to the cloud node
 * over a serial line. RATE_HZ is 100 unless the build says otherwise.
 */
#include "board.h"
#include "core-id.h"
#include "rotor.h"
#include "serial-device.h"

#ifndef RATE_HZ
#define RATE_HZ 100
#endif
#if 1000 % RATE_HZ != 0
#error "the board's clock counts milliseconds: RATE_HZ must divide 1000"
#endif
#define PERIOD_MS (1000u / RATE_HZ)
#define RING_BYTES 16384
#define OUT_BYTES 1536 /* of the longest message, which needs no buffer */
#define MEMORY_BYTES 20480u

static const uint8_t MODEL[32] = CORE_SHA256;
/* A unit is 2^-15; what arrives is within 32 of them, 2^-10. */
static const device_channel CHANNELS[ROTOR_CHANNELS] = {
    {"x", "1", 32, 1, 4, 0, 1, -15, 32, -15},  {"y", "1", 32, 1, 4, 0, 1, -15, 32, -15},
    {"z", "1", 32, 1, 0, 0, 1, -15, 32, -15},  {"rx", "1", 32, 1, 3, 0, 1, -15, 32, -15},
    {"ry", "1", 32, 1, 3, 0, 1, -15, 32, -15}, {"rz", "1", 32, 1, 1, 0, 1, -15, 32, -15},
};
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(8)));
static serial_device twin;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

int main(void) {
  const device_plan plan = {
      .name = DEVICE_NAME,
      .firmware = "1.0.0",
      .model = MODEL,
      .channels = CHANNELS,
      .channel_count = ROTOR_CHANNELS,
      .frame_samples = 100,
      .silence_ms = 5000,
      .mtu = 0,
      .ring_bytes = RING_BYTES,
      .out_bytes = OUT_BYTES,
      .period_ns = PERIOD_MS * 1000000,
      .in_parts = true,
  };
  board_start();
  serial_device_run(&twin, &plan, memory, MEMORY_BYTES, PERIOD_MS, rotor_sample);
  return 1; /* only a failure ends it */
}
