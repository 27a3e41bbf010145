/* Includes update_core.h alone, and begins a machine. */
#include "update_core.h"

static uint8_t memory[4096];
static update_core core;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  (void)reason;
  for (;;) {
  }
}

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

int main(void) {
  update_start(&core, memory, sizeof memory);
  if (update_memory_bytes(&core) > sizeof memory) return 1;
  if (update_open(&core, 0) != UPDATE_STATUS_CONFIG) return 2;
  uint8_t *config = update_bytes(&core, update_config(&core), UPDATE_CONFIG_BYTES);
  if (config == NULL) return 3;
  put32(config + UPDATE_CONFIG_ABI, UPDATE_ABI_VERSION);
  put32(config + UPDATE_CONFIG_NONCE, 7);
  put32(config + UPDATE_CONFIG_SLOT_BYTES, 65536);
  put32(config + UPDATE_CONFIG_SECTOR_BYTES, 4096);
  put32(config + UPDATE_CONFIG_WRITE_UNIT, 8);
  put32(config + UPDATE_CONFIG_BODY_OFFSET, 512);
  config[UPDATE_CONFIG_RUNNING_SLOT] = 1;
  config[UPDATE_CONFIG_TARGET_LENGTH] = 1;
  config[UPDATE_CONFIG_KEY_COUNT] = 1;
  if (update_open(&core, 0) != 0) return 4;
  if (update_next(&core, 0) != UPDATE_ACTION_READ || update_slot(&core) != 1) return 5;
  if (update_action_address(&core) != 0 || update_action_length(&core) != UPDATE_BUFFER_BYTES) return 6;
  update_done(&core, 1, 0, 0);
  update_acknowledged(&core, 1);
  update_stack_high_water(&core, 100);
  update_bytes(&core, update_input(&core), UPDATE_INPUT_BYTES)[0] = 0;
  if (update_receive(&core, 1, 0) != 0) return 7;
  const int32_t state = update_poll(&core);
  if (state <= 0 || update_bytes(&core, update_output(&core), (uint32_t)state) == NULL) return 8;
  if (update_bytes(&core, update_candidate(&core), UPDATE_CANDIDATE_BYTES) == NULL) return 9;
  return update_bytes(&core, update_buffer(&core), UPDATE_BUFFER_BYTES) != NULL ? 0 : 10;
}
