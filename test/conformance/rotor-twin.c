/* Writes the first samples of firmware-examples/rotor-twin, as many as the four bytes at the start say: i32, little-endian. */
#include "board.h"
#include "core.h"
#include "rotor.h"

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

int main(void) {
  uint8_t count[4];
  board_start();
  if (!board_read(count, sizeof count)) return 1;
  const uint32_t samples = (uint32_t)count[0] | (uint32_t)count[1] << 8 | (uint32_t)count[2] << 16 | (uint32_t)count[3] << 24;
  for (uint32_t t = 0; t < samples; t++) {
    int32_t sample[ROTOR_CHANNELS];
    rotor_sample(t, sample);
    for (uint32_t c = 0; c < ROTOR_CHANNELS; c++) {
      const uint32_t bits = (uint32_t)sample[c];
      const uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
      board_write(bytes, sizeof bytes);
    }
  }
  return 0;
}
