/*
 * The flash of an updatable program on an mps2 board, modelled in its PSRAM.
 *
 *     0x21000000  boot records, 2 sectors of 4 KiB
 *     0x21020000  slot 0, 128 KiB
 *     0x21040000  slot 1, 128 KiB
 *     0x21060000  the model's control block (model-flash.h)
 */
#include "board-slots.h"
#include "model-flash.h"
#include "mps2-flash.h"

#define AT(offset) ((void *)(uintptr_t)(MPS2_FLASH + (offset)))
#define SLOTS_AT 0x20000u
#define SLOT_BYTES 0x20000u
/** An image's vectors must lie on a multiple of 128. */
#define BODY_OFFSET 512u

const slot_area *board_slots(void) {
  static const flash records = {
      MODEL_FLASH_SECTOR_BYTES, MODEL_FLASH_WRITE_UNIT, 2, AT(0), model_flash_erase, model_flash_program, model_flash_read};
  static const flash chip = {MODEL_FLASH_SECTOR_BYTES,
                             MODEL_FLASH_WRITE_UNIT,
                             2 * SLOT_BYTES / MODEL_FLASH_SECTOR_BYTES,
                             AT(SLOTS_AT),
                             model_flash_erase,
                             model_flash_program,
                             model_flash_read};
  static const slot_area area = {&records, &chip, AT(SLOTS_AT), SLOT_BYTES, BODY_OFFSET};
  return &area;
}
