/* The rotor as an image that can be replaced as a whole: the core is compiled into it; loader.c starts it. */
#include "board.h"
#include "core-id.h"
#include "self-test.h"
#include "serial-device.h"
#include "updatable-rotor.h"

/** Exit codes, where it cannot go on. */
enum { ENDED = 1, NO_RECORD = 2 };

uint8_t updatable_rotor_model[32] = CORE_SHA256;
static uint8_t memory[MEMORY_BYTES] BOARD_RETAINED __attribute__((aligned(8)));
#ifdef CORE_BYTES
/** The core's accesses are checked against what it is lent, or less: else say make CORE_BYTES=… */
typedef char core_bytes_are_lent[CORE_BYTES <= MEMORY_BYTES ? 1 : -1];
#endif
static serial_device twin;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  update_device_trapped((uint32_t)reason << 16);
}

/** A new image proves on this chip that it computes what it should, before anybody hears of it. */
static void prove(const slot_area *area, boot_record *record) {
  edge_start(&twin.link.core, memory, BELOW_RING);
  if (self_test_passes(&twin.link.core, &record->test, BELOW_RING)) return;
  (void)boot_record_go_back(area->records, record, UPDATE_VERDICT_SELF_TEST_DIFFERS, 0);
  board_restart(RESTART_ASKED, 0);
}

int main(void) {
  static boot_record record;
  const slot_area *area = board_slots();
  board_start();
  board_watch(UPDATE_DEVICE_WATCHDOG_MS);
  if (!boot_record_read(area->records, &record)) return NO_RECORD;
  if (record.is_trying) prove(area, &record);
  update_device_configure(&UPDATABLE_ROTOR_UPDATES, &record, updatable_rotor_model);
  const int32_t status = serial_device_run(&twin, &UPDATABLE_ROTOR_PLAN, memory, MEMORY_BYTES, PERIOD_MS, rotor_sample);
  if (record.is_trying) board_restart(RESTART_TRAP, (uint32_t)status); /* what is tried gives way */
  return ENDED; /* only a failure ends it */
}
