/*
 * A program that ends in another boot: why, what stays in memory until then, and the watchdog that sees to it. For boards
 * built with BOARD_RESTARTS, where a fault of the processor restarts too instead of ending the emulation.
 *
 *     memory   … zeroed │ retained │ free        retained: left alone by a boot; any bits after a power failure
 */
#ifndef RESTART_H
#define RESTART_H

#include <stdbool.h>
#include <stdint.h>

/** For what a restart leaves alone; whoever puts something there checks what it finds. */
#define BOARD_RETAINED __attribute__((section(".retained")))

/** How the last run ended. */
typedef enum {
  RESTART_POWER = 0, /* switched off, or nobody knows */
  RESTART_ASKED = 1, /* by the program */
  RESTART_TRAP = 2,  /* a module was stopped */
  RESTART_WATCHDOG = 3,
  RESTART_FAULT = 4  /* of the processor */
} restart_cause;

/** Find out how the last run ended; once a boot, before the others here. Counts a trap, a watchdog or a fault as a strike. */
restart_cause board_restart_cause(void);

/** What the last run said about its end: of a trap code 2^16 + place. */
uint32_t board_restart_detail(void);

/** Restart the whole board. */
void board_restart(restart_cause cause, uint32_t detail) __attribute__((noreturn));

/** Traps, watchdogs and faults in a row. */
uint32_t board_strikes(void);
/** The same in all, since power came or they were taken. */
uint32_t board_traps(void);
void board_take_traps(void);
/** All is well again. */
void board_clear_strikes(void);

/** Restart unless this is called again within so many milliseconds. Not every board has the means: see boards/README.md. */
void board_watch(uint32_t ms);

/** Power fails now: what is retained is lost, and the board boots. For a flash model alone. */
void board_power_fails(void) __attribute__((noreturn));

#endif
