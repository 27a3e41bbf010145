/*
 * Measures the MACs of a link. Input: link key, then u32 little-endian: frames, and of each its length, then its bytes. Answers a
 * line of JSON with instructions, stack, and the first frame's MAC as two numbers.
 *
 *     boot   both keys of a boot
 *     seal   a frame that goes up, its bytes given in pieces as firmware does
 *     open   the same bytes as a frame that came down, up to whether its MAC is right
 */
#include "core.h"
#include "firmware-tally.h"
#include "json-line.h"

enum { KEY_BYTES = 32, PIECE_BYTES = 64, UP = 0, DOWN = 1, FRAME_BYTES_MAX = 1024 };

static w2c_core core;
static uint8_t frame[FRAME_BYTES_MAX];
static const uint8_t NAME[] = "rotor-twin";

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

static uint32_t read_u32(void) {
  uint8_t bytes[4];
  board_read(bytes, sizeof bytes);
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint8_t *bytes_at(uint32_t address) {
  return w2c_core_memory(&core)->data + address;
}

static void take(uint32_t length) {
  for (uint32_t at = 0; at < length; at += PIECE_BYTES) {
    const uint32_t piece = length - at < PIECE_BYTES ? length - at : PIECE_BYTES;
    memcpy(bytes_at(*w2c_core_MAC_PIECE(&core)), frame + at, piece);
    w2c_core_macUpdate(&core, piece);
  }
}

int main(void) {
  board_start();
  wasm_rt_lend_memory(NULL, WASM_RT_MEMORY_BYTES, WASM_RT_MEMORY_BYTES);
  wasm2c_core_instantiate(&core);
  board_read(bytes_at(*w2c_core_MAC_LINK_KEY(&core)), KEY_BYTES);
  memcpy(bytes_at(*w2c_core_MAC_PIECE(&core)), NAME, sizeof NAME - 1);
  const uint32_t frames = read_u32();
  tally_calibrate();
  json_begin("of", "mac");
  board_count start = tally_start();
  w2c_core_macBoot(&core, 0x12345678u, sizeof NAME - 1);
  json_number("boot", tally_stop(start));
  tally seals = {0};
  tally opens = {0};
  uint32_t right = 0;
  for (uint32_t i = 0; i < frames; i++) {
    const uint32_t length = read_u32();
    if (length > FRAME_BYTES_MAX) board_exit(70);
    board_read(frame, length);
    start = tally_start();
    w2c_core_macBegin(&core, UP);
    take(length);
    w2c_core_macFinish(&core, UP);
    tally_add(&seals, tally_stop(start));
    const uint8_t *mac = bytes_at(*w2c_core_MAC_CODE(&core));
    if (i == 0) json_number("mac", (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3]);
    start = tally_start();
    w2c_core_macBegin(&core, DOWN);
    take(length);
    memset(bytes_at(*w2c_core_MAC_PIECE(&core)), (int)i, 8);
    right += w2c_core_macMatches(&core, DOWN);
    tally_add(&opens, tally_stop(start));
  }
  tally_tell(&seals, "seal");
  tally_tell(&opens, "open");
  json_number("right", right);
  json_number("memoryBytes", *w2c_core_MAC_MEMORY_BYTES(&core));
  json_number("stackBytes", board_stack_high_water());
  json_end();
  return 0;
}
