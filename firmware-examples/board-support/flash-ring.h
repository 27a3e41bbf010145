/*
 * The device's ring and its epochs on flash: what must survive a power cut, and nothing else.
 *
 *     device_sample ──▶ ring in RAM ──▶ flash_ring_save ──▶ log on flash          before anything is sent
 *     boot: log ──▶ flash_ring_open ──▶ ring in RAM, as the core would have left it
 *
 * What is written, and when: a record once, when its frame is closed; a mark when the cloud confirms frames and at a boot
 * that follows a grant; and twice, since what one rotten bit can take away would be one too many, when it grants an epoch
 * and at the start of every sector. A record's entry also says which one is the oldest by then, so that a frame that pushes out
 * older ones takes effect together with that.
 *
 * A record is known by its number, which counts for the life of the log and has no gaps but where flash was damaged. The
 * core's indices have none at all: `runs` says which index stands for which number.
 *
 * Time: flash_ring_save programs the frame just closed and at most three marks, and never erases. flash_ring_tidy does
 * one step of what frees a sector: it copies one record, or erases (milliseconds to a second). Call it while there is
 * time until the next sample, as long as it answers more than 0. Two sectors are kept erased, so that one erase may wait
 * until a whole sector has been written.
 */
#ifndef FLASH_RING_H
#define FLASH_RING_H

#include "device.h"
#include "flash-log.h"

/** The flash holds less than the ring can: flash_ring_sectors() says how many sectors it takes. */
#define FLASH_RING_SMALL (-210)

/** What flash_ring_tidy would do next. */
#define FLASH_TIDY_DONE 0
#define FLASH_TIDY_COPY 1
#define FLASH_TIDY_ERASE 2

/** Damaged stretches after which frames are still kept, in one ring. */
#define FLASH_RING_RUNS_MAX 8

/** From `index` on, index and number grow together. */
typedef struct {
  uint32_t index;
  uint32_t number;
} flash_run;

/** What a mark says. */
typedef struct {
  uint32_t head; /* number of the oldest record */
  uint32_t head_epoch;
  uint32_t head_seq;
  uint32_t granted;     /* epoch of the boot that wrote it, 0 until it was welcomed */
  uint32_t wished;      /* that epoch, or the one wished for */
  uint32_t last;        /* granted to an earlier boot, the newest; 0: none ever */
  uint32_t named_until; /* number: records before it that name no epoch are of `last` */
  uint32_t birth[2];
} flash_mark;

typedef struct {
  flash_log log;
  flash_mark mark; /* what flash knows */
  uint32_t marks_due;
  flash_run runs[FLASH_RING_RUNS_MAX];
  uint32_t run_count;
  uint32_t saved_index;  /* of the first record that flash does not know */
  uint32_t saved_offset; /* where that record is, if it follows the one before */
  flash_place victim;    /* how far the sector to be erased was copied */
  bool is_copying;
  bool is_copied;
  uint32_t damaged; /* records that the last boot found to be missing or of no use without them */
} flash_ring;

/**
 * Fewest sectors for a ring of `ring_bytes`, whatever is in it.
 *
 * @param record_bytes  most that one frame takes in it (device.h)
 * @returns 0 when a sector is too small for such a frame
 */
uint32_t flash_ring_sectors(const flash *chip, uint32_t ring_bytes, uint32_t record_bytes);

/**
 * Open a configured device with what earlier boots left on flash, in place of device_open and device_restore. Reads all
 * of the flash; may erase one sector. Frames of another configuration are given up; epochs are not.
 *
 * @param chip   kept, and the caller's as long as the device is used; a part of flash that is the ring's alone
 * @param nonce  random, new at every boot
 * @returns frames adopted, FLASH_RING_SMALL, a FLASH_LOG_ or an EDGE_STATUS_
 */
int32_t flash_ring_open(flash_ring *self, const flash *chip, device *of, uint32_t nonce, uint32_t now_ms);

/**
 * Write what has changed in the ring. Call it after each of device_sample and device_receive and before each message is
 * sent: a frame that flash does not know may not leave, since after a boot its number would be taken again.
 *
 * @returns 0, FLASH_LOG_NO_ROOM (call flash_ring_tidy until it answers 0, then save again), FLASH_LOG_CHIP_FAILED
 */
int32_t flash_ring_save(flash_ring *self, device *of);

/** Do one step towards two erased sectors. @returns what the next call would do: FLASH_TIDY_, or a FLASH_LOG_ */
int32_t flash_ring_tidy(flash_ring *self, device *of);

/** What flash_ring_tidy would do now, FLASH_TIDY_. */
int32_t flash_ring_tidy_due(const flash_ring *self);

#endif
