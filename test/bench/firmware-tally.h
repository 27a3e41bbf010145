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

/** Before anything is counted: what a start and a stop cost by themselves is left out from then on. */
void tally_calibrate(void);

/** What is counted begins with the return of this function, and ends with the call of tally_stop: a trace shows both. */
board_count tally_start(void);

/** Instructions since the start. */
uint32_t tally_stop(board_count start);

/** Count one of them in. */
void tally_add(tally *into, uint32_t instructions);

/** Write `NAMECount`, `NAMESum` and so on as members of a JSON object that was begun. @param name  short, no escapes */
void tally_tell(const tally *of, const char *name);

#endif
