/*
 * The flash of an updatable program on QEMU's virt, in sectors of 256 KiB.
 *
 *     0x22000000  ring, 4 sectors (cfi-flash.c)
 *     0x22100000  boot records, 2 sectors
 *     0x22180000  slot 0, 2 sectors: head and module, index
 *     0x22200000  slot 1, 2 sectors
 */
#include "board-slots.h"
#include "cfi-flash.h"
#include "restart.h"

#define RECORDS CFI_FLASH(0x100000u)
#define SLOTS CFI_FLASH(0x180000u)
#define SLOT_BYTES (2 * CFI_SECTOR_BYTES)
#define BODY_OFFSET 512u

const slot_area *board_slots(void) {
  static const flash records = {CFI_SECTOR_BYTES, CFI_WORD_BYTES, 2, RECORDS, cfi_erase, cfi_program, cfi_read};
  static const flash chip = {CFI_SECTOR_BYTES, CFI_WORD_BYTES, 4, SLOTS, cfi_erase, cfi_program, cfi_read};
  static const slot_area area = {&records, &chip, SLOTS, SLOT_BYTES, BODY_OFFSET};
  return &area;
}

/** The machine has no watchdog: what hangs is a module, and that runs out of gas (interpreted/core.h). */
void board_watch(uint32_t ms) {
  (void)ms;
}
