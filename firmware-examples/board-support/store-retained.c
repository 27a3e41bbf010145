/*
 * The ring is in memory that a restart leaves alone: frames outlive a trap, the watchdog and a switch to another module, and go
 * with the power. The core looks at every byte of what it finds before it takes it for a ring.
 */
#include "device-store.h"

int32_t device_store_open(device *of, uint32_t nonce, uint32_t now_ms) {
  const int32_t status = device_restore(of, NULL, nonce, now_ms);
  const bool is_none = status == EDGE_STATUS_RING_EMPTY || status == EDGE_STATUS_RING_FOREIGN;
  return is_none ? device_open(of, nonce, 0, now_ms) : status;
}

int32_t device_store_save(device *of) {
  (void)of;
  return 0;
}

int32_t device_store_rest(device *of) {
  (void)of;
  return 0;
}
