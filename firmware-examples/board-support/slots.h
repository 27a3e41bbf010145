/*
 * Two slots, of which one runs: which one a boot takes, and what their bodies are.
 *
 *     slot   head (update_core.h) │ body … │ a module's index, from the next sector on
 */
#ifndef SLOTS_H
#define SLOTS_H

#include "board-slots.h"
#include "boot-record.h"
#include "restart.h"

/** Restarts running after a trap, a fault or the watchdog with no frame acknowledged between, after which a module that was kept is given up for one that was kept before it. */
#define SLOTS_STRIKES_MAX 3u

/** The watchdog's patience: a signature's check is the longest that a device is away. */
#ifndef UPDATE_DEVICE_WATCHDOG_MS
#define UPDATE_DEVICE_WATCHDOG_MS 20000u
#endif

/** Verdicts for how what was tried came to an end (protocol/SPEC.md, flash frames). */
#define SLOTS_VERDICT_TRAPPED 15u
#define SLOTS_VERDICT_WATCHDOG 16u

/** The body of a slot, where the processor reads it. */
const uint8_t *slots_body(const slot_area *area, uint32_t slot);

/** CRC-32 of the first `bytes` of a slot's body, at most what the slot has room for. */
uint32_t slots_crc(const slot_area *area, uint32_t slot, uint32_t bytes);

/** Where a body of `bytes` leaves the slot's first whole sector free, offset in the slot; the slot's end when there is none. */
uint32_t slots_behind(const slot_area *area, uint32_t bytes);

/** A boot_is_sound. @param area  a slot_area */
bool slots_is_sound(void *area, uint32_t slot, const boot_body *body);

/**
 * From now on nothing that is in the other slot runs until it is switched to: a record's CRC-32 says what is whole, not whose
 * it is, and whoever is sending a body can make it come out as that of the one before. Before the slot's first erase.
 *
 * @param record  what holds, of a slot that is kept; changed with what is in flash
 * @returns whether that is so; else flash failed, and what was there may still run
 */
bool slots_disown(const slot_area *area, boot_record *record);

/**
 * What a boot does first of all: what stopped while it was tried, or again and again, goes back; then boot_record_choose.
 *
 * @param cause  how the last run ended
 * @param record  set to what holds from now on
 * @returns 0 or 1: the slot to run; BOOT_NOTHING
 */
int32_t slots_choose(const slot_area *area, restart_cause cause, boot_record *record);

#endif
