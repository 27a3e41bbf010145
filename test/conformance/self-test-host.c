/*
 * The self-test of a module that says how long its frame is, and need not be right.
 *
 *     self-test-host      prints a line for each length: the length, and 1 where the test is passed
 */
#include "self-test.h"

#include <stdio.h>

#include "sha256.h"

#define MEMORY_BYTES 4096u
#define FREE_ADDRESS 1024u
#define GOOD_BYTES 16

static wasm_rt_memory_t lent;
static uint8_t memory[MEMORY_BYTES];
static uint32_t frame_bytes;

wasm_rt_memory_t *w2c_core_memory(w2c_core *core) {
  (void)core;
  return &lent;
}

u32 w2c_core_freeAddress(w2c_core *core) {
  (void)core;
  return FREE_ADDRESS;
}

u32 w2c_core_codecConfigure(w2c_core *core, u32 channels) {
  (void)core, (void)channels;
  return 0;
}

u32 w2c_core_codecSetChannel(w2c_core *core, u32 channel, u32 e, u32 lattice, u32 history_shift) {
  (void)core, (void)channel, (void)e, (void)lattice, (void)history_shift;
  return 0;
}

void w2c_core_codecReset(w2c_core *core) {
  (void)core;
}

void w2c_core_encodeBegin(w2c_core *core, u32 has_events, u32 out, u32 capacity) {
  (void)core, (void)has_events, (void)out, (void)capacity;
}

u32 w2c_core_encodeRows(w2c_core *core, u32 samples, u32 statuses, u32 count) {
  (void)core, (void)samples, (void)statuses;
  return count;
}

u32 w2c_core_encodeEnd(w2c_core *core) {
  (void)core;
  return frame_bytes;
}

u32 w2c_core_stateHash(w2c_core *core) {
  (void)core;
  return 0;
}

int main(void) {
  static const uint32_t lengths[] = {GOOD_BYTES, MEMORY_BYTES - FREE_ADDRESS, 0x7fffffff, 0xffffffff, 0};
  static const uint8_t expected[GOOD_BYTES + 4]; /* an empty frame, and the state's hash */
  static w2c_core core;
  boot_test test = {.channels = 2, .samples = 4, .seed = 1};
  sha256 hash;
  sha256_begin(&hash);
  sha256_more(&hash, expected, sizeof expected);
  sha256_end(&hash, test.digest);
  lent.data = memory;
  lent.size = MEMORY_BYTES;
  for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    frame_bytes = lengths[i];
    printf("%u %d\n", (unsigned)frame_bytes, self_test_passes(&core, &test, MEMORY_BYTES) ? 1 : 0);
  }
  return 0;
}
