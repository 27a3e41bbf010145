/* Messages on a byte stream: u16 big-endian length, then the bytes; or as on a serial line (protocol/SPEC.md, section 5). */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "serial-framing.h"

/** Both halves, reading one message at a time and never past it. */
typedef struct {
  int in, out;
  bool is_serial;
  bool is_closed; /* the peer ended it, or it broke */
  uint32_t filled;
  serial_reader reader;
  uint8_t bytes[SERIAL_READER_BYTES(DEVICE_INPUT_BYTES)]; /* as many as 2 of a length and the message */
} stream;

/** Begin to read and to write; a serial line gets its first zero. @returns whether the peer takes any bytes */
bool stream_begin(stream *s, int in, int out, bool is_serial);

/**
 * Wait for one message. What is damaged on a serial line is left out.
 *
 * @param wait_ms  longest wait; 0: only look
 * @param message  set to its bytes, valid until the next call
 * @returns its length; 0: none came; -1: the stream holds what no cloud sends, a length of 0 or above DEVICE_INPUT_BYTES
 */
int32_t stream_read(stream *s, int wait_ms, const uint8_t **message);

/** Write one message, whole. @returns whether the peer still takes any */
bool stream_write(const stream *s, const uint8_t *message, uint32_t length);

#endif
