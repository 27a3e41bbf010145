/*
 * Which slot boots: two records on flash, each in a sector of its own, of which the newest sound one holds.
 *
 *     sector   record                                             attempts
 *              0 magic  4 sequence  8 slot u8  9 is trying u8     128: a write unit for each boot of a slot that is
 *              10 verdict u8  11 test channels u8                 being tried; one that is not blank is a boot
 *              12 confirmed version  16 detail  20 sid
 *              24 body of slot 0: bytes, CRC-32, version  36 of slot 1
 *              48 traps u16, test samples u16  52 test seed  56 test digest  124 CRC-32 of what is before
 *
 *              ┌── keep ──────────────────────────────┐
 *              ▼                                      │
 *     kept in slot s ── try ──▶ trying slot 1 - s ────┴── go back, or attempts used up ──▶ kept in slot s
 *
 * A new record goes to the sector of the older one: the newer one is never touched, so that whatever an erase or a program
 * leaves when power fails in it, one of the two states holds, never a third. Attempts cost no erase.
 */
#ifndef BOOT_RECORD_H
#define BOOT_RECORD_H

#include "flash.h"

/** Sectors of the chip that is handed to these functions: the records' alone. */
#define BOOT_RECORD_SECTORS 2u
/** Boots of a slot that is being tried and does not confirm itself; the next one goes back. */
#define BOOT_ATTEMPTS_MAX 3u
/** Of a sector: the record, and a unit for each attempt. */
#define BOOT_RECORD_BYTES_MIN(write_unit) (128u + BOOT_ATTEMPTS_MAX * (write_unit))

/** No record is sound, or of no slot that one names the body is: nothing can be booted. */
#define BOOT_NOTHING (-220)
/** The chip failed, or does not read back what was programmed. */
#define BOOT_CHIP_FAILED (-221)

/** Verdicts of its own (protocol/SPEC.md, flash frames): the body is not what was programmed; never confirmed. */
#define BOOT_VERDICT_FLASH 10u
#define BOOT_VERDICT_UNCONFIRMED 17u

/** What a slot holds. */
typedef struct {
  uint32_t bytes; /* 0: nothing that may run */
  uint32_t crc;   /* CRC-32 of them */
  uint32_t version;
} boot_body;

/** What the package said that its self-test must come to: an image proves itself at its first boot. */
typedef struct {
  uint16_t channels; /* 0: there is none */
  uint16_t samples;
  uint32_t seed;
  uint8_t digest[32];
} boot_test;

/** A record as it is read, and where it lies. */
typedef struct {
  uint32_t sequence;
  uint8_t slot;       /* 0 or 1: the one to boot */
  bool is_trying;     /* until it is kept, the other one waits */
  uint8_t verdict;    /* why the last update went back, 0: it did not */
  uint16_t traps;     /* modules stopped, for the life of the device */
  uint32_t confirmed; /* highest version that was ever kept */
  uint32_t detail;    /* of the verdict */
  uint32_t sid;       /* of the package tried last, 0: none */
  boot_body bodies[2];
  boot_test test;     /* of that package */
  uint32_t attempts; /* boots of this record, while it is trying */
  uint32_t sector;   /* 0 or 1 */
} boot_record;

/** Whether a slot holds the body that a record names: its CRC, over the whole of it. */
typedef bool (*boot_is_sound)(void *context, uint32_t slot, const boot_body *body);

/** Read the newest sound record. @returns whether there is one; else `record` is the one before the first */
bool boot_record_read(const flash *chip, boot_record *record);

/**
 * Write a record anew, in the other sector; its sequence number, attempts and sector are set.
 *
 * @returns 0, or BOOT_CHIP_FAILED: then the one before holds, unless that was not written either
 */
int32_t boot_record_write(const flash *chip, boot_record *record);

/** From the next boot on try the other slot, of a package with this sid, body and self-test. @returns as boot_record_write */
int32_t boot_record_try(const flash *chip, boot_record *record, uint32_t sid, const boot_body *body, const boot_test *test);

/** What is being tried is good. @param version  of it; the confirmed one never becomes less  @returns as boot_record_write */
int32_t boot_record_keep(const flash *chip, boot_record *record, uint32_t version);

/** From the next boot on run the other slot again. @returns as boot_record_write */
int32_t boot_record_go_back(const flash *chip, boot_record *record, uint8_t verdict, uint32_t detail);

/**
 * What a boot does, first of all: say which slot runs, and count the attempt. It goes back when the attempts are used up or
 * the body is not sound, and only to a slot that is.
 *
 * @param record  set to what holds from now on
 * @returns 0 or 1: the slot; BOOT_NOTHING
 */
int32_t boot_record_choose(const flash *chip, boot_record *record, boot_is_sound is_sound, void *context);

#endif
