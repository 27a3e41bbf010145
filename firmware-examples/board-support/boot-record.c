#include "boot-record.h"

#include <string.h>

#include "crc32.h"
#include "little-endian.h"

#define MAGIC 0x3042534cu /* "LSB0", the format's version in its last letter */
#define RECORD_BYTES 128u
#define BODIES_AT 24u
#define BODY_BYTES 12u
#define TEST_AT 52u
#define CHECK_AT (RECORD_BYTES - 4u)

/** @returns whether the sector's record is sound */
static bool read_sector(const flash *chip, uint32_t sector, boot_record *record) {
  uint8_t bytes[RECORD_BYTES];
  chip->read(chip->chip, sector * chip->sector_bytes, bytes, RECORD_BYTES);
  const bool is_whole = load32(bytes) == MAGIC && load32(bytes + CHECK_AT) == ~crc32_more(UINT32_MAX, bytes, CHECK_AT);
  if (!is_whole || bytes[8] > 1) return false;
  record->sequence = load32(bytes + 4);
  record->slot = bytes[8];
  record->is_trying = bytes[9] != 0;
  record->verdict = bytes[10];
  record->test.channels = bytes[11];
  record->confirmed = load32(bytes + 12);
  record->detail = load32(bytes + 16);
  record->sid = load32(bytes + 20);
  for (uint32_t slot = 0; slot < 2; slot++) {
    const uint8_t *body = bytes + BODIES_AT + BODY_BYTES * slot;
    record->bodies[slot] = (boot_body){load32(body), load32(body + 4), load32(body + 8)};
  }
  record->traps = (uint16_t)load32(bytes + 48);
  record->test.samples = (uint16_t)(load32(bytes + 48) >> 16);
  record->test.seed = load32(bytes + TEST_AT);
  memcpy(record->test.digest, bytes + TEST_AT + 4, sizeof record->test.digest);
  record->sector = sector;
  return true;
}

static uint32_t attempt_at(const flash *chip, const boot_record *record, uint32_t attempt) {
  return record->sector * chip->sector_bytes + RECORD_BYTES + attempt * chip->write_unit;
}

/** Attempts that are marked; a mark that is half done is one. */
static uint32_t count_attempts(const flash *chip, const boot_record *record) {
  uint32_t attempts = BOOT_ATTEMPTS_MAX;
  for (; attempts > 0; attempts--) {
    uint8_t unit[FLASH_WRITE_UNIT_MAX];
    chip->read(chip->chip, attempt_at(chip, record, attempts - 1), unit, chip->write_unit);
    for (uint32_t i = 0; i < chip->write_unit; i++) {
      if (unit[i] != 0xff) return attempts;
    }
  }
  return 0;
}

bool boot_record_read(const flash *chip, boot_record *record) {
  boot_record other;
  memset(record, 0, sizeof *record);
  record->sector = BOOT_RECORD_SECTORS - 1; /* the first one goes to the first sector */
  bool is_found = read_sector(chip, 0, record);
  if (read_sector(chip, 1, &other) && (!is_found || (int32_t)(other.sequence - record->sequence) > 0)) {
    *record = other;
    is_found = true;
  }
  if (is_found) record->attempts = count_attempts(chip, record);
  return is_found;
}

int32_t boot_record_write(const flash *chip, boot_record *record) {
  boot_record written;
  uint8_t bytes[RECORD_BYTES];
  const uint32_t sector = 1 - record->sector;
  record->sequence++;
  memset(bytes, 0, sizeof bytes);
  store32(bytes, MAGIC);
  store32(bytes + 4, record->sequence);
  bytes[8] = record->slot;
  bytes[9] = record->is_trying ? 1 : 0;
  bytes[10] = record->verdict;
  bytes[11] = (uint8_t)record->test.channels;
  store32(bytes + 12, record->confirmed);
  store32(bytes + 16, record->detail);
  store32(bytes + 20, record->sid);
  for (uint32_t slot = 0; slot < 2; slot++) {
    uint8_t *body = bytes + BODIES_AT + BODY_BYTES * slot;
    store32(body, record->bodies[slot].bytes);
    store32(body + 4, record->bodies[slot].crc);
    store32(body + 8, record->bodies[slot].version);
  }
  store32(bytes + 48, record->traps | (uint32_t)record->test.samples << 16);
  store32(bytes + TEST_AT, record->test.seed);
  memcpy(bytes + TEST_AT + 4, record->test.digest, sizeof record->test.digest);
  store32(bytes + CHECK_AT, ~crc32_more(UINT32_MAX, bytes, CHECK_AT));
  if (!chip->erase(chip->chip, sector)) return BOOT_CHIP_FAILED;
  if (!chip->program(chip->chip, sector * chip->sector_bytes, bytes, RECORD_BYTES)) return BOOT_CHIP_FAILED;
  if (!read_sector(chip, sector, &written) || written.sequence != record->sequence) return BOOT_CHIP_FAILED;
  record->sector = sector;
  record->attempts = 0;
  return 0;
}

int32_t boot_record_try(const flash *chip, boot_record *record, uint32_t sid, const boot_body *body, const boot_test *test) {
  record->slot ^= 1;
  record->bodies[record->slot] = *body;
  record->sid = sid;
  record->test = *test;
  record->is_trying = true;
  return boot_record_write(chip, record);
}

int32_t boot_record_keep(const flash *chip, boot_record *record, uint32_t version) {
  record->is_trying = false;
  record->verdict = 0;
  record->detail = 0;
  if (version > record->confirmed) record->confirmed = version;
  return boot_record_write(chip, record);
}

int32_t boot_record_go_back(const flash *chip, boot_record *record, uint8_t verdict, uint32_t detail) {
  record->slot ^= 1;
  record->is_trying = false;
  record->verdict = verdict;
  record->detail = detail;
  return boot_record_write(chip, record);
}

/** @returns whether the attempt will be known at the next boot */
static bool mark_attempt(const flash *chip, boot_record *record) {
  static const uint8_t mark[FLASH_WRITE_UNIT_MAX];
  const uint32_t attempt = record->attempts++;
  return chip->program(chip->chip, attempt_at(chip, record, attempt), mark, chip->write_unit) &&
         count_attempts(chip, record) == record->attempts;
}

int32_t boot_record_choose(const flash *chip, boot_record *record, boot_is_sound is_sound, void *context) {
  if (!boot_record_read(chip, record)) return BOOT_NOTHING;
  const uint32_t slot = record->slot;
  const bool is_body_sound = record->bodies[slot].bytes > 0 && is_sound(context, slot, &record->bodies[slot]);
  if (is_body_sound && !record->is_trying) return (int32_t)slot;
  if (is_body_sound && record->attempts < BOOT_ATTEMPTS_MAX && mark_attempt(chip, record)) return (int32_t)slot;
  const boot_body *other = &record->bodies[1 - slot];
  if (other->bytes == 0 || !is_sound(context, 1 - slot, other)) return is_body_sound ? (int32_t)slot : BOOT_NOTHING;
  const uint32_t attempts = record->attempts;
  const uint8_t verdict = is_body_sound ? BOOT_VERDICT_UNCONFIRMED : BOOT_VERDICT_FLASH;
  /* Where it cannot be written the other slot runs all the same, and the next boot tries again. */
  (void)boot_record_go_back(chip, record, verdict, is_body_sound ? attempts : slot);
  return (int32_t)(1 - slot);
}
