/*
 * Flash of QEMU's virt, by Intel's command set: two chips of 16 bits side by side, so that each command and status goes
 * to both halves of a word. The chip takes one word at a time; a file behind it (-drive if=pflash,unit=1,…) keeps it when
 * QEMU has ended.
 *
 * @see JEDEC JESD68.01 (common flash interface); Intel 28F640J3, "Command definitions"
 */
#include "cfi-flash.h"

#include "board-flash.h"

#define SECTORS 4u

#define ON_BOTH(command) ((uint32_t)(command) * 0x00010001u)
#define READ_ARRAY ON_BOTH(0xFF)
#define PROGRAM_WORD ON_BOTH(0x40)
#define ERASE_SECTOR ON_BOTH(0x20)
#define CONFIRM ON_BOTH(0xD0)
#define CLEAR_STATUS ON_BOTH(0x50)
#define STATUS_READY ON_BOTH(0x80)
#define STATUS_FAILED ON_BOTH(0x3A) /* erase, program, voltage, locked */

static volatile uint32_t *word_at(void *first, uint32_t address) {
  return (volatile uint32_t *)((uintptr_t)first + address);
}

/** Wait until a command has ended, and leave the chip readable. @returns whether it went well */
static bool finish(volatile uint32_t *at) {
  uint32_t status = *at;
  while ((status & STATUS_READY) != STATUS_READY) status = *at;
  const bool has_failed = (status & STATUS_FAILED) != 0;
  if (has_failed) *at = CLEAR_STATUS;
  *at = READ_ARRAY;
  return !has_failed;
}

bool cfi_erase(void *first, uint32_t sector) {
  volatile uint32_t *at = word_at(first, sector * CFI_SECTOR_BYTES);
  *at = ERASE_SECTOR;
  *at = CONFIRM;
  return finish(at);
}

bool cfi_program(void *first, uint32_t address, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i += CFI_WORD_BYTES) {
    const uint32_t word = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                          (uint32_t)bytes[i + 3] << 24;
    volatile uint32_t *at = word_at(first, address + i);
    *at = PROGRAM_WORD;
    *at = word;
    if (!finish(at)) return false;
  }
  return true;
}

void cfi_read(void *first, uint32_t address, uint8_t *bytes, uint32_t length) {
  const volatile uint8_t *from = (const volatile uint8_t *)((uintptr_t)first + address);
  for (uint32_t i = 0; i < length; i++) bytes[i] = from[i];
}

const flash *board_flash(void) {
  static const flash chip = {CFI_SECTOR_BYTES, CFI_WORD_BYTES, SECTORS, CFI_FLASH(0), cfi_erase, cfi_program, cfi_read};
  return &chip;
}
