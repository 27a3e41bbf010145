/* How the ring's entries look in the log; flash-ring.c writes them, flash-rebuild.c reads them. */
#ifndef FLASH_MARK_H
#define FLASH_MARK_H

#include "flash-ring.h"
#include "ring-image.h"

/* Kinds of entry. A mark that opens a sector taken for copies alone, and one that says that all copies are made, matter
 * when power fails in between: such a sector can be given up, as nothing in it is the only one. */
#define FLASH_RECORD 1u
#define FLASH_MARK 2u
#define FLASH_MARK_COPIES 3u
#define FLASH_MARK_COPIED 4u

/** Bytes of a mark beside its entry. */
#define FLASH_MARK_BYTES 28u

/** The ring as a store sees it: the core's memory, between two of its calls. */
typedef struct {
  uint8_t *bytes;
  uint32_t size;
  uint32_t count; /* records in it */
  ring_header header;
} flash_ring_view;

/** @returns false while the link is not open */
bool flash_view_ring(device *of, flash_ring_view *ring);

/**
 * Make the ring anew from the log, in the memory of a device that is configured but not open.
 *
 * @param next  set to the number of the next record
 * @returns whether there was anything in the log
 */
bool flash_rebuild(flash_ring *self, device *of, uint32_t *next);

#endif
