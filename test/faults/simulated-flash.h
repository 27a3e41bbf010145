/*
 * A flash chip in memory that keeps to the rules of flash.h, counts every operation (one write unit programmed, or one
 * sector erased), and loses power at any of them: a unit is left half programmed, a sector half erased.
 */
#ifndef SIMULATED_FLASH_H
#define SIMULATED_FLASH_H

#include "flash.h"

#define SIMULATED_BYTES_MAX 98304u
#define SIMULATED_SECTORS_MAX 64u
#define NEVER UINT32_MAX

typedef struct {
  uint32_t sector_bytes, write_unit, sectors;
  uint32_t operations; /* so far */
  uint32_t cut_at;     /* power fails during the operation with this number */
  uint32_t chance;     /* state of the generator that says what is half done */
  uint32_t violations; /* programs of a unit that was not erased, or of bits from 0 to 1, or outside the chip */
  uint32_t erases[SIMULATED_SECTORS_MAX];
  uint8_t bytes[SIMULATED_BYTES_MAX];
  uint8_t is_programmed[SIMULATED_BYTES_MAX]; /* by unit */
} simulated_flash;

/** Called when power fails; must not return. */
extern void (*simulated_power_failed)(void);

/** A chip as a factory, or an earlier owner, leaves it. @param garbage  0: erased; else a seed for its contents */
void simulated_begin(simulated_flash *self, uint32_t sectors, uint32_t sector_bytes, uint32_t write_unit, uint32_t garbage);

/** The interface to it. */
flash simulated_chip(simulated_flash *self);

#endif
