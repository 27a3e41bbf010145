#include "slots.h"

#include "crc32.h"

const uint8_t *slots_body(const slot_area *area, uint32_t slot) {
  return area->mapped + slot * area->slot_bytes + area->body_offset;
}

static uint32_t body_bytes_max(const slot_area *area) {
  return area->slot_bytes - area->body_offset;
}

uint32_t slots_crc(const slot_area *area, uint32_t slot, uint32_t bytes) {
  const uint32_t most = body_bytes_max(area);
  return ~crc32_more(UINT32_MAX, slots_body(area, slot), bytes < most ? bytes : most);
}

uint32_t slots_behind(const slot_area *area, uint32_t bytes) {
  const uint32_t sector = area->chip->sector_bytes;
  const uint32_t at = (area->body_offset + bytes + sector - 1) & ~(sector - 1);
  return at < area->slot_bytes ? at : area->slot_bytes;
}

bool slots_is_sound(void *area, uint32_t slot, const boot_body *body) {
  return body->bytes <= body_bytes_max(area) && slots_crc(area, slot, body->bytes) == body->crc;
}

bool slots_disown(const slot_area *area, boot_record *record) {
  boot_body *other = &record->bodies[1 - record->slot];
  if (other->bytes == 0) return true;
  other->bytes = 0;
  if (boot_record_write(area->records, record) == 0) return true;
  (void)boot_record_read(area->records, record);
  return false;
}

int32_t slots_choose(const slot_area *area, restart_cause cause, boot_record *record) {
  slot_area known = *area;
  const bool has_stopped = cause == RESTART_TRAP || cause == RESTART_WATCHDOG || cause == RESTART_FAULT;
  if (has_stopped && boot_record_read(area->records, record)) {
    const boot_body *other = &record->bodies[1 - record->slot];
    /* What was kept gives way only to what was kept too, not to what was tried and sent back. */
    const bool is_worn = board_strikes() >= SLOTS_STRIKES_MAX && other->version <= record->confirmed;
    const bool is_given_up = record->is_trying || is_worn;
    if (is_given_up && other->bytes > 0 && slots_is_sound(&known, 1u - record->slot, other)) {
      const uint8_t verdict = cause == RESTART_WATCHDOG ? SLOTS_VERDICT_WATCHDOG : SLOTS_VERDICT_TRAPPED;
      record->traps = (uint16_t)(record->traps + board_traps());
      (void)boot_record_go_back(area->records, record, verdict, board_restart_detail());
      board_take_traps();
      board_clear_strikes();
    }
  }
  return boot_record_choose(area->records, record, slots_is_sound, &known);
}
