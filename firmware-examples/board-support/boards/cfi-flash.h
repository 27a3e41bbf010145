/* The flash of QEMU's virt, or a part of it, for a `flash` whose chip is the part's first byte. */
#ifndef CFI_FLASH_H
#define CFI_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#define CFI_SECTOR_BYTES 0x40000u
#define CFI_WORD_BYTES 4u
/** Its byte at an offset. */
#define CFI_FLASH(offset) ((void *)(uintptr_t)(0x22000000u + (offset)))

bool cfi_erase(void *first, uint32_t sector);
bool cfi_program(void *first, uint32_t address, const uint8_t *bytes, uint32_t length);
void cfi_read(void *first, uint32_t address, uint8_t *bytes, uint32_t length);

#endif
