/*
 * A flash chip modelled in memory that outlives a restart, by the rules of flash.h, which loses power when it is told to:
 * a unit is left half programmed, a sector half erased, and the board boots. What to do, and what was done, is in a
 * control block behind the chip, where a test reads and writes it from outside.
 */
#ifndef MODEL_FLASH_H
#define MODEL_FLASH_H

#include "flash.h"

#define MODEL_FLASH_BYTES 0x60000u
#define MODEL_FLASH_SECTOR_BYTES 4096u
#define MODEL_FLASH_WRITE_UNIT 8u
#define MODEL_FLASH_UNITS (MODEL_FLASH_BYTES / MODEL_FLASH_WRITE_UNIT)

/** How power fails. */
typedef enum {
  MODEL_POWER_STAYS = 0,
  MODEL_POWER_FAILS_ONCE = 1, /* during the operation number cut_at from the next boot on, the first is 0; then it stays */
  MODEL_POWER_FAILS_EACH = 2  /* during each cut_at-th call that programs or erases where none did before: 1 is every place, once */
} model_power;

/** Little-endian, at MODEL_FLASH_BYTES behind the chip's first byte; zeros: power stays. */
typedef struct {
  uint32_t mode;       /* a model_power */
  uint32_t cut_at;
  uint32_t chance;     /* state of the generator that says what is half done */
  uint32_t operations; /* calls of program and erase, for ever */
  uint32_t cuts;
  uint32_t violations; /* a unit programmed twice between two erases, or outside the chip */
  uint32_t places; /* where a call was for the first time, while it fails at each */
  uint8_t is_programmed[MODEL_FLASH_UNITS / 8]; /* a bit for each unit that is not erased, whatever it looks like */
  uint8_t was_programmed[MODEL_FLASH_UNITS / 8]; /* a bit for each unit where a call began, while power fails at each */
  uint8_t was_erased[MODEL_FLASH_BYTES / MODEL_FLASH_SECTOR_BYTES];
} model_flash_control;

/** The chip, or a part of it. @param first  byte of the part, of a sector */
bool model_flash_erase(void *first, uint32_t sector);
bool model_flash_program(void *first, uint32_t address, const uint8_t *bytes, uint32_t length);
void model_flash_read(void *first, uint32_t address, uint8_t *bytes, uint32_t length);

#endif
