/* The flash of a board whose firmware can be replaced: boot records, and two slots that the processor reads where they lie. */
#ifndef BOARD_SLOTS_H
#define BOARD_SLOTS_H

#include "flash.h"

typedef struct {
  const flash *records;  /* BOOT_RECORD_SECTORS sectors, the records' alone */
  const flash *chip;     /* slot 0, and behind it slot 1 */
  const uint8_t *mapped; /* its first byte */
  uint32_t slot_bytes;   /* of each, whole sectors */
  uint32_t body_offset;  /* of a body in its slot, behind the head: whole write units */
} slot_area;

/** Never NULL; the board's for ever. */
const slot_area *board_slots(void);

#endif
