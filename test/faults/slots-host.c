/*
 * What a boot takes after three traps of a module that was kept, by what is in the other slot. Nothing is run.
 *
 *     slots-host      prints a line for each case: its name, and the slot that boots
 */
#include <stdio.h>
#include <stdlib.h>

#include "simulated-flash.h"
#include "slots.h"

#define SECTOR_BYTES 1024u
#define SLOT_BYTES 4096u
#define BODY_OFFSET 512u
#define BODY_BYTES 2048u
#define OLD 0x01000000u
#define KEPT 0x02000000u
#define NEW 0x03000000u

static simulated_flash records, chip;
static flash records_interface, chip_interface;
static slot_area area;
static boot_record record;

uint32_t board_strikes(void) {
  return SLOTS_STRIKES_MAX;
}

uint32_t board_traps(void) {
  return SLOTS_STRIKES_MAX;
}

uint32_t board_restart_detail(void) {
  return 0;
}

void board_take_traps(void) {}

void board_clear_strikes(void) {}

static void check(bool is_done) {
  if (!is_done) exit(1);
}

/** Put a body into a slot. @returns what a record says of it */
static boot_body put(uint32_t slot, uint8_t value, uint32_t version) {
  uint8_t body[BODY_BYTES];
  for (uint32_t i = 0; i < BODY_BYTES; i++) body[i] = (uint8_t)(value + i);
  for (uint32_t i = 0; i < SLOT_BYTES / SECTOR_BYTES; i++) check(chip_interface.erase(&chip, slot * SLOT_BYTES / SECTOR_BYTES + i));
  check(chip_interface.program(&chip, slot * SLOT_BYTES + BODY_OFFSET, body, BODY_BYTES));
  return (boot_body){BODY_BYTES, slots_crc(&area, slot, BODY_BYTES), version};
}

/** A device that keeps what is in slot 0, and kept what is in slot 1 before it. */
static void begin(void) {
  simulated_begin(&records, 2, SECTOR_BYTES, 8, 0);
  simulated_begin(&chip, 2 * SLOT_BYTES / SECTOR_BYTES, SECTOR_BYTES, 8, 0);
  records_interface = simulated_chip(&records);
  chip_interface = simulated_chip(&chip);
  area = (slot_area){&records_interface, &chip_interface, chip.bytes, SLOT_BYTES, BODY_OFFSET};
  (void)boot_record_read(&records_interface, &record);
  record.slot = 0;
  record.bodies[0] = put(0, 1, KEPT);
  record.bodies[1] = put(1, 2, OLD);
  record.confirmed = KEPT;
  check(boot_record_write(&records_interface, &record) == 0);
}

static void tell(const char *name) {
  printf("%s %d\n", name, (int)slots_choose(&area, RESTART_TRAP, &record));
}

int main(void) {
  const boot_test none = {0, 0, 0, {0}};
  begin();
  tell("kept-before");

  begin();
  const boot_body candidate = put(1, 3, NEW);
  check(boot_record_try(&records_interface, &record, 1, &candidate, &none) == 0);
  check(boot_record_go_back(&records_interface, &record, BOOT_VERDICT_UNCONFIRMED, 0) == 0);
  tell("sent-back");

  begin();
  check(slots_disown(&area, &record));
  tell("being-replaced");

  begin();
  check(slots_disown(&area, &record) && slots_disown(&area, &record));
  check(boot_record_read(&records_interface, &record) && record.sequence == 2 && record.confirmed == KEPT);
  tell("being-replaced-again");
  return 0;
}
