/* The watchdog of the mps2 boards: its interrupt cannot be masked, and says why before the board restarts. @see Arm DDI 0479, section 4.5 */
#include "bare-metal.h"
#include "cortex-m.h"
#include "restart.h"

#define WATCHDOG_LOAD REGISTER(0x40008000u)
#define WATCHDOG_CONTROL REGISTER(0x40008008u)
#define WATCHDOG_CLEAR REGISTER(0x4000800Cu)
#define WATCHDOG_LOCK REGISTER(0x40008C00u)
#define UNLOCKED 0x1ACCE551u
#define INTERRUPTS_AND_RESETS 3u

void board_watch(uint32_t ms) {
  WATCHDOG_LOCK = UNLOCKED;
  WATCHDOG_LOAD = ms * CPU_TICKS_PER_MS;
  WATCHDOG_CLEAR = 1;
  WATCHDOG_CONTROL = INTERRUPTS_AND_RESETS;
  WATCHDOG_LOCK = 0;
}

void bare_metal_bark(void) {
  board_restart(RESTART_WATCHDOG, 0);
}
