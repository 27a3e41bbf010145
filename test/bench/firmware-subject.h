/* Between firmware-measure.c and what is measured: firmware-codec.c or firmware-link.c. */
#ifndef FIRMWARE_SUBJECT_H
#define FIRMWARE_SUBJECT_H

#include "firmware-tally.h"
#include "three-signals.h"

/** Instructions, by kind of work. */
enum { TALLY_SAMPLES, TALLY_COUNT = 5 };

/** Read what the subject needs of the input; once. */
void subject_start(void);

/** Begin with a signal from cold. @param which  0..SIGNAL_COUNT - 1 */
void subject_begin(int32_t which);

/** Take a row, all that falls due with it included, and count it. */
void subject_row(uint32_t row, const int32_t *samples, const uint8_t *statuses);

/** Write further members of the JSON object that was begun. */
void subject_tell(void);

/** All that the subject is, as bytes: what they are put back into goes on as it did. @param length  set to how many */
uint8_t *subject_bytes(uint32_t *length);

/** A status that must not be negative: else the program ends, with its number as the exit code. */
static inline int32_t expect(int32_t status) {
  if (status < 0) board_exit(-status);
  return status;
}

/** Four bytes of the input, little-endian. */
uint32_t read_u32(void);

#endif
