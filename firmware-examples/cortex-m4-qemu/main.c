/*
 * The smallest complete device on a microcontroller: a sensor, the core, a serial line.
 *
 *     sense ──▶ serial_device_run ──▶ frames on the UART; the cloud's answers are heard while it waits
 *
 * Your own device is this file with another `sense` and another table of channels.
 */
#include "board.h"
#include "core-id.h"
#include "serial-device.h"

#define PERIOD_MS 10u
#define CHANNELS 3
#define RING_BYTES 8192
#define OUT_BYTES 1024 /* of the longest message, which needs no buffer */
/** The core's memory: its state, the ring, a sample, a birth. */
#define MEMORY_BYTES 12288u

static const uint8_t MODEL[32] = CORE_SHA256;
/* A unit is 2^-10 g. What arrives is within 8 of them, 0.0078 g; 2^7 bins of 17 units << 3 reach over 17 g. */
static const device_channel CHANNEL_TABLE[CHANNELS] = {
    {"ax", "g", 8, 1, 3, 0, 1, -10, 8, -10},
    {"ay", "g", 8, 1, 3, 0, 1, -10, 8, -10},
    {"az", "g", 8, 1, 3, 0, 1, -10, 8, -10},
};
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(8)));
static serial_device sensor_device;

/** The module was stopped: end with a code that says why. Outside an emulator: reset. */
void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

/** Read the sensor: here a triangle of 1 g in 1,024 / (7 + channel) samples, with noise. */
static void sense(uint32_t t, int32_t *samples) {
  for (uint32_t c = 0; c < CHANNELS; c++) {
    const uint32_t phase = t * (7u + c) & 1023u;
    const int32_t triangle = (int32_t)(phase < 512u ? phase : 1023u - phase);
    const uint32_t noise = (((t + 1u) * 2654435761u) ^ ((c + 1u) * 40503u)) >> 8;
    samples[c] = (triangle - 256) * 4 + (int32_t)(noise % 21u);
  }
}

int main(void) {
  const device_plan plan = {
      .name = DEVICE_NAME,
      .firmware = "1.0.0",
      .model = MODEL,
      .channels = CHANNEL_TABLE,
      .channel_count = CHANNELS,
      .frame_samples = 100,
      .silence_ms = 5000,
      .mtu = 0,
      .ring_bytes = RING_BYTES,
      .out_bytes = OUT_BYTES,
      .period_ns = PERIOD_MS * 1000000,
      .in_parts = true,
  };
  board_start();
  serial_device_run(&sensor_device, &plan, memory, MEMORY_BYTES, PERIOD_MS, sense);
  return 1; /* only a failure ends it */
}
