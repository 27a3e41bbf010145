/*
 * A program around running-mean.wat: smooths readings from the UART. The first byte says how many there are; each is four
 * bytes, little-endian, and so is each answer. Given none, it ends.
 */
#include "board.h"
#include "core.h"

static w2c_core core;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

int main(void) {
  uint8_t count = 0;
  board_start();
  wasm2c_core_instantiate(&core);
  while (board_read(&count, 1) && count > 0) {
    for (; count > 0; count--) {
      uint8_t bytes[4];
      if (!board_read(bytes, sizeof bytes)) return 1;
      const uint32_t reading = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
      const uint32_t mean = w2c_core_update(&core, reading);
      for (uint32_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(mean >> 8 * i);
      board_write(bytes, sizeof bytes);
    }
  }
  return 0;
}
