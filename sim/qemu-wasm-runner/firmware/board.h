/* What a board gives to a program: a byte stream in each direction. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

/** Read exactly `length` bytes. @returns false when the stream has ended */
bool board_read(uint8_t *bytes, uint32_t length);

/** Write all of them, at once. @returns false when nobody reads any more */
bool board_write(const uint8_t *bytes, uint32_t length);

#endif
