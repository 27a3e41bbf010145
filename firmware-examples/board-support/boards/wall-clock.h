/* What a board knows of the world outside: the time of day, and something that differs from boot to boot. */
#ifndef WALL_CLOCK_H
#define WALL_CLOCK_H

#include <stdint.h>

/** Microseconds since 1970-01-01 00:00 UTC, as far as the board knows. */
int64_t board_unix_us(void);

/** A number that no other boot of this device has had, but for a chance of one in thousands of millions. */
uint32_t board_nonce(void);

#endif
