/*
 * The rotor by a module that can be replaced: what is linked here stays, the core is in a slot and is interpreted from there.
 */
#include "board.h"
#include "module-body.h"
#include "serial-device.h"
#include "sha256.h"
#include "updatable-rotor.h"

/** Exit codes, where there is nothing to run. */
enum { ENDED = 1, NO_MODULE = 2, MODULE_REFUSED = 3 };

uint8_t updatable_rotor_model[SHA256_BYTES];
static uint8_t memory[MEMORY_BYTES] BOARD_RETAINED __attribute__((aligned(8)));
static serial_device twin;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  (void)reason;
  update_device_trapped(interpreted_core_stopped());
}

/** What cannot be opened was good when it was tested: its slot is damaged. */
static int refuse(const slot_area *area, boot_record *record, uint32_t detail) {
  if (!record->is_trying || boot_record_go_back(area->records, record, UPDATE_VERDICT_MODULE_REFUSED, detail) < 0) return MODULE_REFUSED;
  board_restart(RESTART_ASKED, 0);
}

/** In a frame of stack of its own, which is free again when the device runs. */
__attribute__((noinline)) static void name_model(const interpreted_module *module) {
  sha256 hash;
  sha256_begin(&hash);
  sha256_more(&hash, module->module, module->module_bytes);
  sha256_end(&hash, updatable_rotor_model);
}

int main(void) {
  static boot_record record;
  static interpreted_module module;
  uint32_t at = 0;
  const slot_area *area = board_slots();
  board_start();
  const int32_t slot = slots_choose(area, board_restart_cause(), &record);
  if (slot < 0) return NO_MODULE;
  const uint32_t bytes = record.bodies[slot].bytes;
  const int32_t code = module_body_open(area, (uint32_t)slot, bytes, MEMORY_BYTES, memory, BELOW_RING, &module, &at);
  if (code != 0) return refuse(area, &record, (uint32_t)code << 16 | at);
  name_model(&module);
  interpreted_core_lend(&module);
  update_device_configure(&UPDATABLE_ROTOR_UPDATES, &record, updatable_rotor_model);
  const int32_t status = serial_device_run(&twin, &UPDATABLE_ROTOR_PLAN, memory, MEMORY_BYTES, PERIOD_MS, rotor_sample);
  if (record.is_trying) board_restart(RESTART_TRAP, (uint32_t)status); /* what is tried gives way */
  return ENDED; /* only a failure ends it */
}
