/*
 * serial_device_run on a board whose clock runs as fast as the program: a sample a minute for long-run.test.ts, past the
 * wrap of a clock of 32 bits. The test compiles everything here with `board_` called `virtual_`, so that the host's own
 * board stands aside.
 *
 * Input: messages on a serial line. The first is there once the device has greeted, the k-th after it once the device has
 * made k + 1 frames. Output: the line. A sample takes LATE_MS. Ends with 0 after SAMPLES; with 3 when something is written
 * before the clock was read again after a sensor was, that is in the time of the sample itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "serial-device.h"
#include "wall-clock.h"

#define PERIOD_MS 60000u
#define STEP_MS 20000u
#define DAY_MS 86400000
#define INPUT_BYTES_MAX (1u << 20)
#define MEMORY_BYTES 16384u

static const uint8_t MODEL[32] = {7};
static const device_channel CHANNELS[1] = {{"t", "1", 8, 1, 3, 0, 1, -10, 8, -10}};
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(8)));
static serial_device long_device;
static uint8_t input[INPUT_BYTES_MAX];
static uint32_t input_bytes;
static uint32_t read_bytes;
static uint32_t messages_read;
static uint32_t zeros_written;
static uint32_t elapsed_ms;
static uint32_t clock_readings;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  exit(100 + (int)reason);
}

void board_listen(uint8_t *ring, uint32_t bytes) {
  (void)ring;
  (void)bytes;
}

int32_t board_read_now(uint8_t *bytes, uint32_t most) {
  const bool is_early = messages_read == 0 ? zeros_written < 2 : messages_read >= edge_link_next_seq(&long_device.link.core);
  if (most == 0 || read_bytes == input_bytes || is_early) return 0;
  *bytes = input[read_bytes++];
  if (*bytes == 0) messages_read++;
  return 1;
}

bool board_write(const uint8_t *bytes, uint32_t length) {
  if (clock_readings == 1) exit(3);
  for (uint32_t i = 0; i < length; i++) zeros_written += bytes[i] == 0 ? 1u : 0u;
  return fwrite(bytes, 1, length, stdout) == length;
}

void board_wait(void) {
  elapsed_ms += STEP_MS;
}

uint32_t board_now_ms(void) {
  clock_readings++;
  return elapsed_ms;
}

int64_t board_unix_us(void) {
  return START_US;
}

uint32_t board_nonce(void) {
  return 7;
}

static void sense(uint32_t t, int32_t *samples) {
  if (t == SAMPLES) exit(0);
  samples[0] = (int32_t)((t * 2654435761u) >> 22);
  clock_readings = 0;
  elapsed_ms += LATE_MS;
}

int main(void) {
  const device_plan plan = {
      .name = "long",
      .firmware = "1",
      .model = MODEL,
      .channels = CHANNELS,
      .channel_count = 1,
      .frame_samples = 100,
      .silence_ms = DAY_MS,
      .mtu = 0,
      .ring_bytes = 8192,
      .out_bytes = 1024,
      .period_ns = 1000000LL * PERIOD_MS,
  };
  input_bytes = (uint32_t)fread(input, 1, sizeof input, stdin);
  clock_readings = 2;
  serial_device_run(&long_device, &plan, memory, MEMORY_BYTES, PERIOD_MS, sense);
  return 1;
}
