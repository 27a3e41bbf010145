#include "board-flash.h"
#include "device-store.h"
#include "flash-ring.h"

/** How often a chip that fails is tried again: each time the log goes on in another sector. */
#define ATTEMPTS 3

static flash_ring kept;

int32_t device_store_open(device *of, uint32_t nonce, uint32_t now_ms) {
  return flash_ring_open(&kept, board_flash(), of, nonce, now_ms);
}

int32_t device_store_save(device *of) {
  int32_t status = flash_ring_save(&kept, of);
  for (int32_t attempt = 0; status < 0 && attempt < ATTEMPTS; attempt++) {
    /* The sectors that resting should have erased are needed now. */
    while (status == FLASH_LOG_NO_ROOM || status > 0) status = flash_ring_tidy(&kept, of);
    status = flash_ring_save(&kept, of);
  }
  return status;
}

int32_t device_store_rest(device *of) {
  if (flash_ring_tidy_due(&kept) == FLASH_TIDY_DONE) return 0;
  const int32_t status = flash_ring_tidy(&kept, of);
  return status < 0 ? status : 1;
}
