/* Counts of instructions: how many, their sum, the largest, and where that was. */
#ifndef FIRMWARE_TALLY_H
#define FIRMWARE_TALLY_H

#include "board.h"

typedef struct {
  uint32_t count;
  uint32_t sum;
  uint32_t max;
  uint32_t max_at; /* place of the first of the largest, counted from 0 */
} tally;

/** Before the first tally_since: what two readings of the counter cost by themselves is left out from then on. */
void tally_calibrate(void);

/** Instructions from a reading of the counter until now, the reading's own left out. */
uint32_t tally_since(board_count from);

/** Count one of them in. */
void tally_add(tally *into, uint32_t instructions);

/** Write `NAMEMax` and so on as members of a JSON object that was begun. @param name  short; no escapes */
void tally_tell(const tally *of, const char *name);

#endif
