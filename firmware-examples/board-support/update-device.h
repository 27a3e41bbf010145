/*
 * A device whose module or image can be replaced while it streams: carries out what the update machine decides
 * (update_core.h), one action at a time, beside the link.
 *
 *     serial line ──▶ update_device_hear ──▶ a flash frame: the machine's      none: the link's
 *     rest        ──▶ update_device_act  ──▶ erase, program, read, test, switch, keep, go back
 *                     update_device_poll ──▶ its messages, between the link's
 *
 * A test and a switch restart the board: before that the frame in hand is closed, and what is in the ring goes out as far as
 * the cloud takes it. What it does not take by then stays in the ring over a test, where that outlives a restart
 * (device-store.h); a switch is not made before all of it was taken. What was made on trial and is left in the ring when the
 * device goes back can be sent by nobody any more: the boot after it tells the cloud that it is lost.
 */
#ifndef UPDATE_DEVICE_H
#define UPDATE_DEVICE_H

#include "device.h"
#include "slots.h"
#include "update_core.h"

/** Memory of the machine: update_memory_bytes(), which a test compares. */
#define UPDATE_DEVICE_MEMORY_BYTES 2328u
/** Largest piece of a body in a message, a power of two up to 256. */
#ifndef UPDATE_DEVICE_CHUNK_BYTES
#define UPDATE_DEVICE_CHUNK_BYTES 256u
#endif
/** How long a restart waits for the next frame to leave the ring, and for all of them. */
#ifndef UPDATE_DEVICE_DRAIN_MS
#define UPDATE_DEVICE_DRAIN_MS 4000u
#endif
#ifndef UPDATE_DEVICE_DRAIN_MOST_MS
#define UPDATE_DEVICE_DRAIN_MOST_MS 60000u
#endif

/** Who may replace what. */
typedef struct {
  uint8_t form;       /* UPDATE_FORM_ */
  const char *target; /* 1..32 bytes */
  const uint8_t (*keys)[UPDATE_KEY_BYTES];
  uint8_t key_count;  /* 1..4 */
  uint32_t memory_limit;
  uint32_t confirm_ms;
} update_plan;

/**
 * Say what may be replaced, and what runs; before update_device_begin.
 *
 * @param plan    the caller's, as long as the device runs
 * @param record  as slots_choose left it; the caller's, and changed with what is in flash
 * @param model   32 bytes: of what runs; the caller's too
 */
void update_device_configure(const update_plan *plan, boot_record *record, const uint8_t *model);

/** Begin, before the link greets. @param nonce  the link's  @returns 0 or UPDATE_STATUS_CONFIG */
int32_t update_device_begin(uint32_t nonce, uint32_t now_ms);

/** Room for a message of the line, and how much: where the machine takes it from. */
uint8_t *update_device_input(void);
#define UPDATE_DEVICE_INPUT_BYTES (UPDATE_INPUT_BYTES - 2)

/** Hear the message in update_device_input(). @returns whether it was the machine's; else give it to the link */
bool update_device_hear(uint32_t length, uint32_t now_ms);

/** Have the link hear a message, and count the frames of this boot that it acknowledges. @returns as device_receive */
int32_t update_device_receive(device *of, const uint8_t *message, uint32_t length, uint32_t now_ms);

/** Once the link is open. @param adopted  frames that it found of an earlier boot: none where another model left them */
void update_device_opened(device *of, int32_t adopted);

/** Write down what the cloud has not taken by now: after each sample. */
void update_device_note(device *of);

/** The machine's next message. @returns its length, below 1 for none */
int32_t update_device_poll(device *of, const uint8_t **message, int64_t time_us, uint32_t now_ms);

/** Do one action, if one is due. @returns whether there is more to do at once */
bool update_device_act(device *of, int64_t time_us, uint32_t now_ms);

/** Whether samples should wait: a restart is near, and nothing may come between. If it fails, those times have no reading. */
bool update_device_is_holding(void);

/** A module was stopped: for wasm_rt_trap(). @param detail  code 2^16 + place */
void update_device_trapped(uint32_t detail) __attribute__((noreturn));

#endif
