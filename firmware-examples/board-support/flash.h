/*
 * A flash chip as the log sees it, with the rules of NOR flash:
 *
 *     erase     sets every bit of a sector to 1
 *     program   sets bits from 1 to 0, in whole write units; between two erases each unit is programmed once
 *     read      any bytes
 *
 * A power cut during a program leaves the units before it whole, one unit half done, and those after it untouched. A
 * power cut during an erase leaves any bits in its sector.
 */
#ifndef FLASH_H
#define FLASH_H

#include <stdbool.h>
#include <stdint.h>

/** Largest write unit: the flash word of large Cortex-M7 chips. */
#define FLASH_WRITE_UNIT_MAX 32u

/** A part of a chip that is the log's alone; addresses count from its first byte. */
typedef struct {
  uint32_t sector_bytes; /* smallest part that can be erased; a multiple of the write unit */
  uint32_t write_unit;   /* smallest part that can be programmed: 1, 2, 4, 8, 16 or 32 bytes */
  uint32_t sectors;
  void *chip; /* passed on to the three */
  /** Erase one sector; takes milliseconds up to a second. @returns false when the chip reports a failure */
  bool (*erase)(void *chip, uint32_t sector);
  /** Program whole units that were erased. @returns false when the chip reports a failure */
  bool (*program)(void *chip, uint32_t address, const uint8_t *bytes, uint32_t length);
  void (*read)(void *chip, uint32_t address, uint8_t *bytes, uint32_t length);
} flash;

#endif
