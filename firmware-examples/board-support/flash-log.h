/*
 * A log on flash: entries, each whole or not there at all, in sectors that are used one after the other for ever.
 *
 *     sector   header: magic, id, CRC-32; then entries; sector `id` lies at place id mod sectors
 *     entry    0 payload bytes u16  2 kind u8  3 0xa5  4 number  8 head  12 epoch  16 seq  20 CRC-32  24 payload
 *
 *     ids:   ... victim ────────────── current │ spare  spare
 *                 └─ next to be erased   └─ written     └─ erased, of which the last one is kept for copies
 *
 * An entry's check covers all of it, its sector's id and its place, so that neither a torn write nor what an earlier lap
 * left behind passes for one. A sector's header is written when its erase has ended: without it a sector counts as not
 * erased, whatever it looks like. Every sector is erased once a lap: their erase counts differ by one at most.
 *
 * What the entries mean is not known here (flash-ring.c): `number`, `head`, `epoch` and `seq` are the caller's.
 */
#ifndef FLASH_LOG_H
#define FLASH_LOG_H

#include "flash.h"

/** Fewest sectors: one to write, two erased, one to give up. */
#define FLASH_LOG_SECTORS_MIN 4u
/** Bytes of an entry beside its payload. */
#define FLASH_LOG_ENTRY_BYTES 24u

/** Not enough room in the current sector: advance, or free a sector first. */
#define FLASH_LOG_NO_ROOM (-200)
/** The chip failed, or does not read back what was programmed. */
#define FLASH_LOG_CHIP_FAILED (-201)
/** Sectors, their size or the write unit are outside what the log can use. */
#define FLASH_LOG_GEOMETRY (-202)

/** What an entry says beside its payload. */
typedef struct {
  uint8_t kind; /* the caller's, 0..254 */
  uint32_t number;
  uint32_t head;
  uint32_t epoch;
  uint32_t seq;
  uint32_t bytes; /* of payload */
} flash_entry;

typedef struct {
  const flash *chip;
  uint32_t current; /* id of the sector being written */
  uint32_t at;      /* where the next entry goes, offset in it */
  uint32_t spares;  /* erased sectors after it, 0..2 */
} flash_log;

/** A place in the log while reading: ids count up from the oldest sector to the current one. */
typedef struct {
  uint32_t id;
  uint32_t at;
} flash_place;

/**
 * Find the log's end. Reads all of the flash once; erases and writes only where there is no log at all.
 *
 * @param chip  kept, and the caller's as long as the log is used
 * @returns 0, FLASH_LOG_GEOMETRY or FLASH_LOG_CHIP_FAILED
 */
int32_t flash_log_begin(flash_log *log, const flash *chip);

/** The place before the oldest entry. */
flash_place flash_log_oldest(const flash_log *log);

/**
 * Read on.
 *
 * @param place  moved behind the entry
 * @param last   id of the last sector to read
 * @returns address of the entry's payload; 0 when no sound entry is left up to there
 */
uint32_t flash_log_next(const flash_log *log, flash_place *place, uint32_t last, flash_entry *entry);

/** Payload bytes that fit into the current sector; `is_last` counts the room that is kept for a last entry too. */
uint32_t flash_log_room(const flash_log *log, bool is_last);

/** Most payload bytes that an entry of this flash can have. */
uint32_t flash_log_payload_max(const flash_log *log);

/**
 * Append an entry, and read it back.
 *
 * @param is_last  it may use the room that is kept at the sector's end
 * @returns 0, FLASH_LOG_NO_ROOM (nothing written) or FLASH_LOG_CHIP_FAILED (the rest of the sector is given up)
 */
int32_t flash_log_append(flash_log *log, const flash_entry *entry, const uint8_t *payload, bool is_last);

/** Go on to the next erased sector. @returns 0 or FLASH_LOG_NO_ROOM when there is none */
int32_t flash_log_advance(flash_log *log);

/** Id of the sector that is erased next; before the first lap has ended, of one that was never written. */
uint32_t flash_log_victim(const flash_log *log);

/** Erase the victim, which makes it a spare: the slow one. @returns 0 or FLASH_LOG_CHIP_FAILED */
int32_t flash_log_erase(flash_log *log);

/** Erase the current sector and go back to the one before it; only while there is no spare. @returns as flash_log_erase */
int32_t flash_log_step_back(flash_log *log);

#endif
