#include "body-test.h"
#include "little-endian.h"

/** The least that an image is: the vectors of the processor itself. */
#define VECTORS_BYTES 64u

bool body_test_stops(void) {
  return false;
}

int32_t body_test(device *of, const slot_area *area, uint32_t slot, const boot_body *body, const boot_test *test,
                  uint32_t *detail) {
  const uint8_t *image = slots_body(area, slot);
  const uint32_t first = (uint32_t)(uintptr_t)image;
  (void)of;
  (void)test;
  /* Its first instruction is in itself, by the address that it was linked for: an image for the other slot is none. */
  const uint32_t entry = body->bytes >= VECTORS_BYTES ? load32(image + 4) & ~1u : 0;
  *detail = entry;
  if (entry < first || entry - first >= body->bytes) return BODY_VERDICT_REFUSED;
  *detail = 0;
  return 0;
}
