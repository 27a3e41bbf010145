#include "device-store.h"

int32_t device_store_open(device *of, uint32_t nonce, uint32_t now_ms) {
  return device_open(of, nonce, 0, now_ms);
}

int32_t device_store_save(device *of) {
  (void)of;
  return 0;
}

int32_t device_store_rest(device *of) {
  (void)of;
  return 0;
}
