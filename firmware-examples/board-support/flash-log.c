#include "flash-log.h"

#include <stddef.h>

#include "crc32.h"
#include "little-endian.h"

#define MAGIC 0x30464c53u /* "SLF0", the format's version in its last letter */
#define HEADER_BYTES 12u
#define MARKER 0xa5u
/** Payload of the last entry for which room is kept in every sector, and of the first two. */
#define KEPT_BYTES 32u
/** A sector may not be used longer than this: a payload's length is 16 bit. */
#define PAYLOAD_MAX 0xffffu
/** Programmed and read at once; a multiple of every write unit. */
#define PIECE_BYTES 64u
#define SPARES_MAX 2u

static uint32_t whole_units(const flash_log *log, uint32_t bytes) {
  return (bytes + log->chip->write_unit - 1) & ~(log->chip->write_unit - 1);
}

static uint32_t span(const flash_log *log, uint32_t payload_bytes) {
  return whole_units(log, FLASH_LOG_ENTRY_BYTES + payload_bytes);
}

static uint32_t sector_at(const flash_log *log, uint32_t id) {
  return id % log->chip->sectors * log->chip->sector_bytes;
}

static void read_bytes(const flash_log *log, uint32_t address, uint8_t *bytes, uint32_t length) {
  log->chip->read(log->chip->chip, address, bytes, length);
}

static bool is_blank(const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    if (bytes[i] != 0xff) return false;
  }
  return true;
}

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/** Check of an entry, started with its sector's id and its place. */
static uint32_t begin_check(uint32_t id, uint32_t at, const uint8_t *header) {
  uint8_t seed[8];
  store32(seed, id);
  store32(seed + 4, at);
  return crc32_more(crc32_more(UINT32_MAX, seed, 8), header, FLASH_LOG_ENTRY_BYTES - 4);
}

/** Whether a sound entry of sector `id` begins at an offset; its header is in `header` then, or what is there. */
static bool is_sound(const flash_log *log, uint32_t id, uint32_t at, uint8_t *header) {
  const uint32_t address = sector_at(log, id) + at;
  if (log->chip->sector_bytes - at < FLASH_LOG_ENTRY_BYTES) return false;
  read_bytes(log, address, header, FLASH_LOG_ENTRY_BYTES);
  const uint32_t bytes = load32(header) & PAYLOAD_MAX;
  if (header[3] != MARKER || bytes > log->chip->sector_bytes - at - FLASH_LOG_ENTRY_BYTES) return false;
  uint32_t check = begin_check(id, at, header);
  for (uint32_t done = 0; done < bytes;) {
    uint8_t piece[PIECE_BYTES];
    const uint32_t length = smaller(PIECE_BYTES, bytes - done);
    read_bytes(log, address + FLASH_LOG_ENTRY_BYTES + done, piece, length);
    check = crc32_more(check, piece, length);
    done += length;
  }
  return load32(header + 20) == ~check;
}

/** The id that a sector's header names; 0 when it names none for this place. */
static uint32_t header_id(const flash_log *log, uint32_t sector) {
  uint8_t header[HEADER_BYTES];
  read_bytes(log, sector * log->chip->sector_bytes, header, HEADER_BYTES);
  const uint32_t id = load32(header + 4);
  const bool is_header = load32(header) == MAGIC && load32(header + 8) == ~crc32_more(UINT32_MAX, header, 8);
  return is_header && id >= log->chip->sectors && id % log->chip->sectors == sector ? id : 0;
}

/** Where a sector's entries end, whole or torn; its header's end when it has none. */
static uint32_t find_end(const flash_log *log, uint32_t id) {
  const uint32_t sector_bytes = log->chip->sector_bytes;
  const uint32_t unit = log->chip->write_unit;
  uint32_t end = whole_units(log, HEADER_BYTES);
  for (uint32_t at = end; at < sector_bytes;) {
    uint8_t header[FLASH_WRITE_UNIT_MAX] = {0};
    if (is_sound(log, id, at, header)) {
      at += span(log, load32(header) & PAYLOAD_MAX);
      end = at;
      continue;
    }
    read_bytes(log, sector_at(log, id) + at, header, smaller(sizeof header, sector_bytes - at));
    if (is_blank(header, unit)) {
      at += unit;
      continue;
    }
    /* Torn or rotten. What it said of its length counts too: its end may be whole units of 0xff. */
    const uint32_t claimed = header[3] == MARKER ? load32(header) & PAYLOAD_MAX : 0;
    if (at >= end) end = at + smaller(span(log, claimed), sector_bytes - at);
    at += unit;
    if (at > end) end = at;
  }
  return end;
}

static bool is_untouched(const flash_log *log, uint32_t id) {
  return header_id(log, id % log->chip->sectors) == id && find_end(log, id) == whole_units(log, HEADER_BYTES);
}

/** Count the erased sectors that follow the current one, or those counted already. */
static void count_spares(flash_log *log) {
  while (log->spares < SPARES_MAX && is_untouched(log, log->current + log->spares + 1)) log->spares++;
}

static bool has_entries(const flash_log *log, uint32_t id) {
  flash_place place = {id, whole_units(log, HEADER_BYTES)};
  flash_entry entry;
  return flash_log_next(log, &place, id, &entry) != 0;
}

static bool is_usable(const flash *chip) {
  const uint32_t unit = chip->write_unit;
  if (unit == 0 || (unit & (unit - 1)) != 0 || unit > FLASH_WRITE_UNIT_MAX) return false;
  if (chip->sectors < FLASH_LOG_SECTORS_MIN || chip->sector_bytes % unit != 0) return false;
  return chip->sector_bytes >= 256 && chip->sector_bytes <= UINT32_MAX / chip->sectors;
}

int32_t flash_log_begin(flash_log *log, const flash *chip) {
  if (!is_usable(chip)) return FLASH_LOG_GEOMETRY;
  *log = (flash_log){chip, 0, 0, 0};
  uint32_t newest = 0;
  for (uint32_t sector = 0; sector < chip->sectors; sector++) {
    const uint32_t id = header_id(log, sector);
    if (id > newest) newest = id;
  }
  if (newest == 0) {
    log->current = chip->sectors - 1;
    const int32_t status = flash_log_erase(log);
    return status < 0 ? status : flash_log_advance(log);
  }
  /* A header may have rotted: entries prove their sector's id by themselves. */
  for (uint32_t more = 0; more < SPARES_MAX && has_entries(log, newest + 1); more++) newest++;
  log->current = newest;
  for (uint32_t i = 0; i < SPARES_MAX && log->current > chip->sectors && !has_entries(log, log->current); i++) log->current--;
  /* One that is no longer blank, by a torn entry or a rotten bit, is erased again. */
  count_spares(log);
  log->at = find_end(log, log->current);
  return 0;
}

flash_place flash_log_oldest(const flash_log *log) {
  return (flash_place){flash_log_victim(log), whole_units(log, HEADER_BYTES)};
}

uint32_t flash_log_next(const flash_log *log, flash_place *place, uint32_t last, flash_entry *entry) {
  const uint32_t unit = log->chip->write_unit;
  for (; place->id <= last; place->id++, place->at = whole_units(log, HEADER_BYTES)) {
    while (place->at < log->chip->sector_bytes) {
      uint8_t header[FLASH_LOG_ENTRY_BYTES] = {0};
      const uint32_t at = place->at;
      if (is_sound(log, place->id, at, header)) {
        const uint32_t bytes = load32(header) & PAYLOAD_MAX;
        *entry = (flash_entry){header[2],           load32(header + 4),  load32(header + 8),
                               load32(header + 12), load32(header + 16), bytes};
        place->at += span(log, bytes);
        return sector_at(log, place->id) + at + FLASH_LOG_ENTRY_BYTES;
      }
      /* No entry can begin where its marker would be blank. */
      place->at += is_blank(header, FLASH_LOG_ENTRY_BYTES) ? (FLASH_LOG_ENTRY_BYTES - 4) / unit * unit + unit : unit;
    }
  }
  return 0;
}

uint32_t flash_log_room(const flash_log *log, bool is_last) {
  const uint32_t left = log->chip->sector_bytes - log->at;
  const uint32_t beside = FLASH_LOG_ENTRY_BYTES + (is_last ? 0 : span(log, KEPT_BYTES));
  return left > beside ? smaller(left - beside, PAYLOAD_MAX) : 0;
}

uint32_t flash_log_payload_max(const flash_log *log) {
  const uint32_t beside = whole_units(log, HEADER_BYTES) + 3 * span(log, KEPT_BYTES) + FLASH_LOG_ENTRY_BYTES;
  return log->chip->sector_bytes > beside ? smaller(log->chip->sector_bytes - beside, PAYLOAD_MAX) : 0;
}

static bool program_entry(const flash_log *log, const uint8_t *header, const uint8_t *payload, uint32_t bytes) {
  const uint32_t total = span(log, bytes);
  const uint32_t address = sector_at(log, log->current) + log->at;
  uint8_t piece[PIECE_BYTES];
  for (uint32_t done = 0; done < total; done += PIECE_BYTES) {
    const uint32_t length = smaller(PIECE_BYTES, total - done);
    for (uint32_t i = 0; i < length; i++) {
      const uint32_t n = done + i;
      if (n < FLASH_LOG_ENTRY_BYTES) piece[i] = header[n];
      else piece[i] = n < FLASH_LOG_ENTRY_BYTES + bytes ? payload[n - FLASH_LOG_ENTRY_BYTES] : 0xff;
    }
    if (!log->chip->program(log->chip->chip, address + done, piece, length)) return false;
  }
  return true;
}

int32_t flash_log_append(flash_log *log, const flash_entry *entry, const uint8_t *payload, bool is_last) {
  if (entry->bytes > flash_log_room(log, is_last)) return FLASH_LOG_NO_ROOM;
  uint8_t header[FLASH_LOG_ENTRY_BYTES];
  store32(header, entry->bytes | (uint32_t)entry->kind << 16 | MARKER << 24);
  store32(header + 4, entry->number);
  store32(header + 8, entry->head);
  store32(header + 12, entry->epoch);
  store32(header + 16, entry->seq);
  store32(header + 20, ~crc32_more(begin_check(log->current, log->at, header), payload, entry->bytes));
  const bool is_programmed = program_entry(log, header, payload, entry->bytes);
  if (!is_programmed || !is_sound(log, log->current, log->at, header)) {
    log->at = log->chip->sector_bytes;
    return FLASH_LOG_CHIP_FAILED;
  }
  log->at += span(log, entry->bytes);
  return 0;
}

int32_t flash_log_advance(flash_log *log) {
  if (log->spares == 0) return FLASH_LOG_NO_ROOM;
  log->spares--;
  log->current++;
  log->at = whole_units(log, HEADER_BYTES);
  return 0;
}

uint32_t flash_log_victim(const flash_log *log) {
  return log->current + log->spares + 1 - log->chip->sectors;
}

int32_t flash_log_erase(flash_log *log) {
  const uint32_t id = log->current + log->spares + 1;
  uint8_t header[FLASH_WRITE_UNIT_MAX];
  for (uint32_t i = 0; i < sizeof header; i++) header[i] = 0xff;
  store32(header, MAGIC);
  store32(header + 4, id);
  store32(header + 8, ~crc32_more(UINT32_MAX, header, 8));
  const uint32_t sector = id % log->chip->sectors;
  const uint32_t address = sector * log->chip->sector_bytes;
  if (!log->chip->erase(log->chip->chip, sector)) return FLASH_LOG_CHIP_FAILED;
  if (!log->chip->program(log->chip->chip, address, header, whole_units(log, HEADER_BYTES))) return FLASH_LOG_CHIP_FAILED;
  if (header_id(log, sector) != id) return FLASH_LOG_CHIP_FAILED;
  log->spares++;
  /* The one after it may be erased already: an erase that is not needed could only do harm. */
  count_spares(log);
  return 0;
}

int32_t flash_log_step_back(flash_log *log) {
  log->current--;
  const int32_t status = flash_log_erase(log);
  log->at = find_end(log, log->current);
  return status;
}
