/*
 * Wall clock and nonce of QEMU's virt: its real-time clock counts nanoseconds of the host's time, of which no two boots
 * have the same.
 */
#include "wall-clock.h"

#define CLOCK(offset) (*(volatile uint32_t *)(0x00101000u + (offset)))
#define CLOCK_LOW CLOCK(0u) /* reading it fixes the other half */
#define CLOCK_HIGH CLOCK(4u)

int64_t board_unix_us(void) {
  const uint32_t low = CLOCK_LOW;
  return (int64_t)(((uint64_t)CLOCK_HIGH << 32 | low) / 1000u);
}

uint32_t board_nonce(void) {
  const uint32_t low = CLOCK_LOW;
  return (low ^ CLOCK_HIGH) * 2654435761u;
}
