/* Includes edge_core.h alone, and asks the module for the addresses that the header names. */
#include "edge_core.h"

static uint8_t memory[8192];
static edge_core core;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  (void)reason;
  for (;;) {
  }
}

int main(void) {
  edge_start(&core, memory, sizeof memory);
  const bool is_sound = edge_heap_base(&core) > edge_state_address(&core) && edge_link_view(&core) > 0 &&
                        edge_bytes(&core, 0, sizeof memory) == memory && edge_bytes(&core, 1, sizeof memory) == NULL;
  return is_sound ? 0 : 1;
}
