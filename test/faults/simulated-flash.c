#include "simulated-flash.h"

#include <string.h>

void (*simulated_power_failed)(void);

static uint32_t random32(simulated_flash *self) {
  self->chance ^= self->chance << 13;
  self->chance ^= self->chance >> 17;
  self->chance ^= self->chance << 5;
  return self->chance;
}

/** Count an operation. @returns whether power fails during it */
static bool is_cut(simulated_flash *self) {
  return self->operations++ == self->cut_at;
}

/** Leave any bits in a sector: as it was, erased, or each bit one or the other. */
static void half_erase(simulated_flash *self, uint8_t *sector) {
  const uint32_t how = random32(self) % 4;
  for (uint32_t i = 0; i < self->sector_bytes; i++) {
    if (how == 0) continue;
    if (how == 1) sector[i] = 0xff;
    else if (how == 2) sector[i] = (uint8_t)(sector[i] | random32(self));
    else if (i >= self->sector_bytes / 2) sector[i] = 0xff;
  }
}

static bool erase(void *chip, uint32_t sector) {
  simulated_flash *self = chip;
  if (sector >= self->sectors) {
    self->violations++;
    return false;
  }
  uint8_t *bytes = self->bytes + sector * self->sector_bytes;
  self->erases[sector]++;
  if (is_cut(self)) {
    half_erase(self, bytes);
    /* Nobody may rely on a unit of it. */
    memset(self->is_programmed + sector * self->sector_bytes, 1, self->sector_bytes);
    simulated_power_failed();
  }
  memset(bytes, 0xff, self->sector_bytes);
  memset(self->is_programmed + sector * self->sector_bytes, 0, self->sector_bytes);
  return true;
}

static void program_unit(simulated_flash *self, uint32_t at, const uint8_t *from) {
  if (self->is_programmed[at]) self->violations++;
  for (uint32_t i = 0; i < self->write_unit; i++) {
    if ((from[i] & ~self->bytes[at + i]) != 0) self->violations++;
  }
  if (is_cut(self)) {
    /* Some of the bits have gone to 0. Where none has, the pulse did not begin. */
    const bool is_begun = random32(self) % 4 != 0;
    for (uint32_t i = 0; i < self->write_unit && is_begun; i++) {
      const uint8_t after = (uint8_t)(self->bytes[at + i] & (from[i] | random32(self)));
      if (after != self->bytes[at + i]) self->is_programmed[at] = 1;
      self->bytes[at + i] = after;
    }
    simulated_power_failed();
  }
  self->is_programmed[at] = 1;
  for (uint32_t i = 0; i < self->write_unit; i++) self->bytes[at + i] &= from[i];
}

static bool program(void *chip, uint32_t address, const uint8_t *bytes, uint32_t length) {
  simulated_flash *self = chip;
  const uint32_t size = self->sectors * self->sector_bytes;
  if (address % self->write_unit != 0 || length % self->write_unit != 0 || address > size || length > size - address) {
    self->violations++;
    return false;
  }
  for (uint32_t i = 0; i < length; i += self->write_unit) program_unit(self, address + i, bytes + i);
  return true;
}

static void read_bytes(void *chip, uint32_t address, uint8_t *bytes, uint32_t length) {
  simulated_flash *self = chip;
  const uint32_t size = self->sectors * self->sector_bytes;
  if (address > size || length > size - address) self->violations++;
  else memcpy(bytes, self->bytes + address, length);
}

void simulated_begin(simulated_flash *self, uint32_t sectors, uint32_t sector_bytes, uint32_t write_unit, uint32_t garbage) {
  memset(self, 0, sizeof *self);
  self->sectors = sectors;
  self->sector_bytes = sector_bytes;
  self->write_unit = write_unit;
  self->cut_at = NEVER;
  self->chance = garbage;
  for (uint32_t i = 0; i < sizeof self->bytes; i++) self->bytes[i] = garbage == 0 ? 0xff : (uint8_t)random32(self);
  if (garbage != 0) memset(self->is_programmed, 1, sizeof self->is_programmed);
}

flash simulated_chip(simulated_flash *self) {
  return (flash){self->sector_bytes, self->write_unit, self->sectors, self, erase, program, read_bytes};
}
