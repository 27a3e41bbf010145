/* Messages on a byte stream: u16 big-endian length, then the bytes (protocol/SPEC.md, section 5, TCP). */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

/** The incoming half, reading one message at a time and never past it. */
typedef struct {
  int file;
  bool is_closed; /* the peer ended it, or it broke */
  uint32_t filled;
  uint8_t bytes[2 + DEVICE_INPUT_BYTES];
} stream_input;

/**
 * Wait for one message.
 *
 * @param wait_ms  longest wait; 0: only look
 * @returns its length with the bytes at `in->bytes + 2`, valid until the next call; 0: none came; -1: the stream holds
 *          what no cloud sends, a length of 0 or above DEVICE_INPUT_BYTES
 */
int32_t stream_read(stream_input *in, int wait_ms);

/** Write one message, whole. @returns whether the peer still takes any */
bool stream_write(int file, const uint8_t *message, uint32_t length);

#endif
