/* Includes edge_core.h alone, and asks the module for the addresses that the header names. */
#include "edge_core.h"

#ifdef EDGE_GATEWAY
static uint8_t memory[65536];
#else
static uint8_t memory[8192];
#endif
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
#ifdef EDGE_GATEWAY
  /* Lend the lookahead of a frame of 16 samples what it asks for: it takes that once, and no effort that there is none of. */
  if (edge_link_begin(&core, 1, 16, 1000, 0) != 0) return 2;
  const edge_address at = edge_free_address(&core);
  const int32_t greedy = edge_link_lookahead_bytes(&core, EDGE_EFFORT_GREEDY);
  const int32_t programme = edge_link_lookahead_bytes(&core, EDGE_EFFORT_PROGRAMME);
  if (greedy <= 0 || programme <= greedy || edge_link_lookahead_bytes(&core, 3) != 0) return 3;
  if (edge_bytes(&core, at, (uint32_t)programme) == NULL) return 4;
  if (edge_link_lookahead(&core, at, EDGE_EFFORT_PROGRAMME) != 0) return 5;
  if (edge_link_lookahead(&core, at, 3) != EDGE_STATUS_LINK_CONFIG || edge_link_lookahead(&core, 0, 0) != 0) return 6;
#endif
  return is_sound ? 0 : 1;
}
