#include "module-body.h"

#include "body-test.h"
#include "self-test.h"

/** Where an index goes, or is. */
typedef struct {
  const slot_area *area;
  uint32_t slot;
  uint32_t first; /* its first byte, offset in the slot */
} index_place;

static const uint8_t *mapped_at(const index_place *place, uint32_t at) {
  return place->area->mapped + place->slot * place->area->slot_bytes + place->first + at;
}

static bool is_inside(const index_place *place, uint32_t at, uint32_t length) {
  const uint32_t room = place->area->slot_bytes - place->first;
  return at <= room && length <= room - at;
}

static bool compare(void *context, uint32_t at, const void *bytes, uint32_t length) {
  const index_place *place = context;
  return is_inside(place, at, length) && memcmp(mapped_at(place, at), bytes, length) == 0;
}

/** Each byte comes once; all of it was erased before. */
static bool program(void *context, uint32_t at, const void *bytes, uint32_t length) {
  const index_place *place = context;
  const flash *chip = place->area->chip;
  const uint32_t address = place->slot * place->area->slot_bytes + place->first + at;
  if (length == 0) return true; /* a function without branches */
  if (!is_inside(place, at, length)) return false;
  return chip->program(chip->chip, address, bytes, length) && memcmp(mapped_at(place, at), bytes, length) == 0;
}

static bool erase_all(const index_place *place) {
  const flash *chip = place->area->chip;
  const uint32_t first = (place->slot * place->area->slot_bytes + place->first) / chip->sector_bytes;
  const uint32_t count = (place->area->slot_bytes - place->first) / chip->sector_bytes;
  for (uint32_t i = 0; i < count; i++) {
    if (!chip->erase(chip->chip, first + i)) return false;
  }
  return true;
}

static bool is_erased(const index_place *place) {
  for (uint32_t at = 0; is_inside(place, at, 1); at++) {
    if (*mapped_at(place, at) != 0xff) return false;
  }
  return true;
}

int32_t module_body_open(const slot_area *area, uint32_t slot, uint32_t bytes, uint32_t memory_bytes, uint8_t *work,
                         uint32_t work_bytes, interpreted_module *module, uint32_t *at) {
  index_place place = {area, slot, slots_behind(area, bytes)};
  interpreter_checking checking = {
      .module = slots_body(area, slot),
      .module_bytes = bytes,
      .memory_bytes = memory_bytes,
      .work = (uint16_t *)(void *)work,
      .work_halfwords = work_bytes / 2,
      .put = compare,
      .context = &place,
  };
  *module = (interpreted_module){checking.module, bytes, mapped_at(&place, 0)};
  interpreter_result result = interpreter_check(&checking);
  if (result.code == INTERPRETER_INDEX_REFUSED) {
    if (!is_erased(&place) && !erase_all(&place)) return MODULE_BODY_FLASH_FAILED;
    checking.put = program;
    result = interpreter_check(&checking);
  }
  *at = result.at;
  return (int32_t)result.code;
}

bool body_test_stops(void) {
  return true;
}

int32_t body_test(device *of, const slot_area *area, uint32_t slot, const boot_body *body, const boot_test *test,
                  uint32_t *detail) {
  static interpreted_module candidate;
  uint8_t *memory = of->core.w2c_memory.data;
  uint32_t at = 0;
  int32_t code = module_body_open(area, slot, body->bytes, of->ring, memory, of->ring, &candidate, &at);
  if (code == MODULE_BODY_FLASH_FAILED) return BODY_VERDICT_FLASH;
  if (code == INTERPRETER_OK) {
    interpreted_core_lend(&candidate);
    wasm_rt_lend_memory(memory, of->ring, of->ring);
    code = (int32_t)interpreted_core_start(&of->core);
  }
  *detail = (uint32_t)code << 16 | at;
  if (code != INTERPRETER_OK) return BODY_VERDICT_REFUSED;
  *detail = 0;
  return self_test_passes(&of->core, test, of->ring) ? 0 : BODY_VERDICT_DIFFERS;
}
