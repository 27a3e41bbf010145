#include "restart.h"

#include "bare-metal.h"

#define MAGIC 0x52455354u

/** From the linker script: all that is retained. */
extern uint32_t board_retained_start[];
extern uint32_t board_retained_end[];

typedef struct {
  uint32_t magic;
  uint32_t cause;
  uint32_t detail;
  uint32_t strikes;
  uint32_t traps;
  uint32_t check;
} restart_note;

/* At one place whatever the program: a boot loader and images share it. */
static restart_note note __attribute__((section(".retained.note")));

static uint32_t check_of(void) {
  return ~(note.magic + 3 * note.cause + 5 * note.detail + 7 * note.strikes + 11 * note.traps);
}

static void seal(void) {
  note.magic = MAGIC;
  note.check = check_of();
}

restart_cause board_restart_cause(void) {
  if (note.magic != MAGIC || note.check != check_of()) note = (restart_note){MAGIC, RESTART_POWER, 0, 0, 0, 0};
  const restart_cause cause = (restart_cause)note.cause;
  if (cause == RESTART_TRAP || cause == RESTART_WATCHDOG || cause == RESTART_FAULT) {
    note.strikes++;
    note.traps++;
  }
  note.cause = RESTART_POWER;
  seal();
  return cause;
}

uint32_t board_restart_detail(void) {
  return note.detail;
}

uint32_t board_strikes(void) {
  return note.strikes;
}

uint32_t board_traps(void) {
  return note.traps;
}

void board_take_traps(void) {
  note.traps = 0;
  seal();
}

void board_clear_strikes(void) {
  note.strikes = 0;
  seal();
}

void board_restart(restart_cause cause, uint32_t detail) {
  note.cause = (uint32_t)cause;
  note.detail = detail;
  seal();
  uart_drain();
  cpu_reset();
}

void board_power_fails(void) {
  for (uint32_t *word = board_retained_start; word != board_retained_end; word++) *word ^= 0x5a5a5a5au + (uint32_t)(uintptr_t)word;
  cpu_reset();
}
