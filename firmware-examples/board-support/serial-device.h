/*
 * A device on a serial line: hears, saves, sends. It knows no sensor; main.c of an example has one.
 *
 *     UART ──▶ serial_reader ──▶ device_receive ──┐
 *     sensor ──▶ serial_device_sample ────────────┴─▶ store ──▶ device_poll ──▶ serial_write ──▶ UART
 */
#ifndef SERIAL_DEVICE_H
#define SERIAL_DEVICE_H

#include "device.h"
#include "serial-framing.h"

typedef struct {
  device link;
  serial_reader reader;
  uint8_t input[SERIAL_READER_BYTES(DEVICE_INPUT_BYTES)];
  int64_t start_us; /* device time when now_ms was 0 */
} serial_device;

/**
 * Start: configure, open with what the store has, and greet. After board_start().
 *
 * @param memory    as device_begin takes it
 * @param nonce     new at every boot
 * @param start_us  time of day at now_ms = 0
 * @returns frames adopted from an earlier boot or a status
 */
int32_t serial_device_begin(serial_device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes, uint32_t nonce,
                            int64_t start_us);

/** Take one sample of every channel, and send what there is to send. @param time_us  when it was taken  @returns 0 or a status */
int32_t serial_device_sample(serial_device *self, const int32_t *samples, int64_t time_us, uint32_t now_ms);

/**
 * Use the time until the next sample: hear what came, send what is due, let the store do one step, and if there was
 * nothing of all that, sleep until a byte comes or a millisecond has passed.
 *
 * @returns 0 or a status
 */
int32_t serial_device_rest(serial_device *self, uint32_t now_ms);

/**
 * Be a device, after board_start(): begin, then sample every period of the board's clock and use the time between.
 *
 * @param memory     as device_begin takes it
 * @param period_ms  what plan->period_ns is, >= 1
 * @param sense      writes the t-th sample of every channel, t from 0
 * @returns the status that ended it, below 0
 */
int32_t serial_device_run(serial_device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes, uint32_t period_ms,
                          void (*sense)(uint32_t t, int32_t *samples));

#endif
