/*
 * A device on a serial line: hears, saves, sends. It knows no sensor; main.c of an example has one.
 *
 *     UART ──▶ received ──▶ serial_reader ──▶ device_receive ──┐
 *     sensor ──▶ serial_device_sample ─────────────────────────┴─▶ store ──▶ device_poll ──▶ serial_write ──▶ UART
 *                when a sample is due                                in the time between: serial_device_rest
 */
#ifndef SERIAL_DEVICE_H
#define SERIAL_DEVICE_H

#include "device.h"
#include "long-clock.h"
#include "serial-framing.h"
#include "serial-updates.h"
#ifdef SERIAL_DEVICE_LINK_KEY
#include "sealed-link.h"
#endif

/**
 * What may come while a sample is taken or a message leaves, a power of two: two of the cloud's longest messages, 22 ms of a
 * line at 115,200 baud. A build may say otherwise.
 */
#ifndef SERIAL_DEVICE_RECEIVED_BYTES
#define SERIAL_DEVICE_RECEIVED_BYTES 256
#endif
/* A build that defines SERIAL_DEVICE_LINK_KEY as 32 bytes, {0x00, ...}, says and hears nothing without a MAC (sealed-link.h). */

typedef struct {
  device link;
  serial_reader reader;
#ifdef SERIAL_DEVICE_LINK_KEY
  sealed_link sealed;
#endif
  uint8_t input[SERIAL_INPUT_KEPT];
  uint8_t received[SERIAL_DEVICE_RECEIVED_BYTES]; /* the board's, for bytes that nobody has read yet */
  long_clock clock;
  int64_t start_us; /* device time when the clock was 0 */
} serial_device;

/**
 * Start: configure, open with what the store has, listen, and greet. After board_start(), within 24 days.
 *
 * @param memory    as device_begin takes it
 * @param nonce     new at every boot
 * @param start_us  time of day at now_ms = 0
 * @returns frames adopted from an earlier boot or a status
 */
int32_t serial_device_begin(serial_device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes, uint32_t nonce,
                            int64_t start_us);

/** Take one sample of every channel; what it makes is sent in the rest. @param time_us  when it was taken  @returns 0 or a status */
int32_t serial_device_sample(serial_device *self, const int32_t *samples, int64_t time_us, uint32_t now_ms);

/**
 * Use the time until the next sample: hear what came, send one message, let the store do one step, and if there was nothing
 * of all that, sleep until a byte comes or a millisecond has passed. Call it until the sample is due, and at least once for
 * each. A message is sent whole: on a line where board_write waits it delays a sample by its own length at most.
 *
 * @returns 0 or a status
 */
int32_t serial_device_rest(serial_device *self, uint32_t now_ms);

/**
 * Be a device, after board_start(): begin, then sample every period of the board's clock and use the time between. Where a
 * restart was waited for and did not come, or flash was erased for a period or longer, the times passed are told as invalid
 * samples, and the sensor is not asked: a sample is never told under a time at which it was not taken.
 *
 * @param memory     as device_begin takes it
 * @param period_ms  what plan->period_ns is, >= 1
 * @param sense      writes the t-th sample of every channel, t from 0, modulo 2^32
 * @returns the status that ended it, below 0
 */
int32_t serial_device_run(serial_device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes, uint32_t period_ms,
                          void (*sense)(uint32_t t, int32_t *samples));

#endif
