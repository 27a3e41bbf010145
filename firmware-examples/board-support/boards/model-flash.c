#include "model-flash.h"

#include <string.h>

#include "mps2-flash.h"
#include "restart.h"

static model_flash_control *control(void) {
  return (model_flash_control *)(uintptr_t)(MPS2_FLASH + MODEL_FLASH_BYTES);
}

static uint8_t *chip(void) {
  return (uint8_t *)(uintptr_t)MPS2_FLASH;
}

static uint32_t random32(void) {
  uint32_t chance = control()->chance | 1u;
  chance ^= chance << 13;
  chance ^= chance >> 17;
  chance ^= chance << 5;
  control()->chance = chance;
  return chance;
}

static bool bit_of(const uint8_t *bits, uint32_t at) {
  return (bits[at / 8] >> (at % 8) & 1u) != 0;
}

static void set_bit(uint8_t *bits, uint32_t at, bool is_one) {
  const uint8_t mask = (uint8_t)(1u << (at % 8));
  bits[at / 8] = (uint8_t)(is_one ? bits[at / 8] | mask : bits[at / 8] & ~mask);
}

/** Count an operation. @param is_known  one like it was there before  @returns whether power fails in it */
static bool counts_as_cut(bool is_known) {
  model_flash_control *state = control();
  state->operations++;
  bool is_cut = false;
  if (state->mode == MODEL_POWER_FAILS_ONCE) {
    is_cut = state->cut_at == 0;
    if (is_cut) state->mode = MODEL_POWER_STAYS;
    state->cut_at--;
  } else if (state->mode == MODEL_POWER_FAILS_EACH) {
    is_cut = !is_known && state->places++ % (state->cut_at == 0 ? 1 : state->cut_at) == 0;
  }
  if (is_cut) state->cuts++;
  return is_cut;
}

bool model_flash_erase(void *first, uint32_t sector) {
  const uint32_t at = (uint32_t)((uint8_t *)first - chip()) + sector * MODEL_FLASH_SECTOR_BYTES;
  model_flash_control *state = control();
  if (at > MODEL_FLASH_BYTES - MODEL_FLASH_SECTOR_BYTES) {
    state->violations++;
    return false;
  }
  const uint32_t place = at / MODEL_FLASH_SECTOR_BYTES;
  const bool is_cut = counts_as_cut(state->was_erased[place] != 0);
  state->was_erased[place] = 1;
  const uint32_t how = is_cut ? random32() % 4 : 1;
  uint8_t *bytes = chip() + at;
  for (uint32_t i = 0; i < MODEL_FLASH_SECTOR_BYTES; i++) {
    if (how == 1 || (how == 3 && i >= MODEL_FLASH_SECTOR_BYTES / 2)) bytes[i] = 0xff;
    if (how == 2) bytes[i] = (uint8_t)(bytes[i] | random32());
  }
  for (uint32_t i = 0; i < MODEL_FLASH_SECTOR_BYTES; i += MODEL_FLASH_WRITE_UNIT) {
    set_bit(state->is_programmed, (at + i) / MODEL_FLASH_WRITE_UNIT, is_cut);
  }
  if (is_cut) board_power_fails();
  return true;
}

/** Program one unit, or begin to. */
static void program_unit(uint32_t at, const uint8_t *from, bool is_cut) {
  model_flash_control *state = control();
  uint8_t *to = chip() + at;
  bool is_blank = !bit_of(state->is_programmed, at / MODEL_FLASH_WRITE_UNIT);
  for (uint32_t i = 0; i < MODEL_FLASH_WRITE_UNIT; i++) is_blank = is_blank && to[i] == 0xff;
  if (!is_blank) state->violations++;
  const bool is_begun = !is_cut || random32() % 4 != 0;
  bool is_changed = !is_cut;
  for (uint32_t i = 0; i < MODEL_FLASH_WRITE_UNIT && is_begun; i++) {
    const uint8_t after = (uint8_t)(to[i] & (is_cut ? from[i] | random32() : from[i]));
    is_changed = is_changed || after != to[i];
    to[i] = after;
  }
  if (is_changed) set_bit(state->is_programmed, at / MODEL_FLASH_WRITE_UNIT, true);
}

bool model_flash_program(void *first, uint32_t address, const uint8_t *bytes, uint32_t length) {
  const uint32_t at = (uint32_t)((uint8_t *)first - chip()) + address;
  model_flash_control *state = control();
  const bool is_aligned = at % MODEL_FLASH_WRITE_UNIT == 0 && length % MODEL_FLASH_WRITE_UNIT == 0;
  if (!is_aligned || length == 0 || at > MODEL_FLASH_BYTES || length > MODEL_FLASH_BYTES - at) {
    state->violations++;
    return false;
  }
  const bool is_cut = counts_as_cut(bit_of(state->was_programmed, at / MODEL_FLASH_WRITE_UNIT));
  set_bit(state->was_programmed, at / MODEL_FLASH_WRITE_UNIT, true);
  const uint32_t units = length / MODEL_FLASH_WRITE_UNIT;
  const uint32_t whole = is_cut ? random32() % units : units;
  for (uint32_t i = 0; i < whole; i++) program_unit(at + i * MODEL_FLASH_WRITE_UNIT, bytes + i * MODEL_FLASH_WRITE_UNIT, false);
  if (is_cut) {
    program_unit(at + whole * MODEL_FLASH_WRITE_UNIT, bytes + whole * MODEL_FLASH_WRITE_UNIT, true);
    board_power_fails();
  }
  return true;
}

void model_flash_read(void *first, uint32_t address, uint8_t *bytes, uint32_t length) {
  memcpy(bytes, (const uint8_t *)first + address, length);
}
