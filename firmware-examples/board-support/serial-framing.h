/*
 * Messages on a serial line: COBS( frame | CRC-16 ) and a zero (protocol/SPEC.md, section 5.1). No memory of its own.
 *
 *     device_poll ---> serial_write ---> one byte after the other ---> UART
 *     UART ---> serial_reader_push ---> the length of a whole frame ---> device_receive
 */
#ifndef SERIAL_FRAMING_H
#define SERIAL_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "byte-span.h"

/** Longest frame, bytes. */
#define SERIAL_FRAME_MAX 65535u
/** A reader's buffer for frames of up to `bytes`: their checksum is unpacked there too. */
#define SERIAL_READER_BYTES(bytes) ((bytes) + 2u)

/** Why serial_reader_push left something out. */
#define SERIAL_CUT_SHORT (-1)    /* its code bytes point past its end */
#define SERIAL_TOO_SHORT (-2)    /* shorter than any frame */
#define SERIAL_TOO_LONG (-3)     /* longer than the buffer */
#define SERIAL_BAD_CHECKSUM (-4) /* damaged on the way */

/** Take one byte for the line, waiting for room as long as is right. @returns whether to go on */
typedef bool (*serial_put)(void *line, uint8_t byte);

/** Most parts of a frame that serial_write_parts takes. */
#define SERIAL_PARTS_MAX 3u

/**
 * Write one frame. Put a zero on the line by `put` once when it is opened: what stood there before is then no part of it.
 *
 * @param frame   1..65,535 bytes
 * @param line    handed to `put`
 * @returns whether it was written whole; false also for a length out of range, of which nothing is written
 */
bool serial_write(const uint8_t *frame, uint32_t length, serial_put put, void *line);

/** The same of a frame that lies in parts, of which some may be empty. @param count  up to SERIAL_PARTS_MAX */
bool serial_write_parts(const byte_span *parts, uint32_t count, serial_put put, void *line);

/** The incoming half of a line. */
typedef struct {
  uint8_t *bytes;    /* the caller's buffer */
  uint32_t capacity; /* of it, bytes */
  uint32_t length;   /* unpacked so far */
  uint16_t checksum; /* of those */
  uint8_t left;      /* bytes of the group to come */
  bool is_begun;     /* a piece is under way */
  bool owes_zero;    /* the group that ended stands for a zero, should another follow */
  bool is_too_long;  /* dropping up to the next zero */
} serial_reader;

/**
 * Begin to read.
 *
 * @param bytes     the reader's from now on
 * @param capacity  SERIAL_READER_BYTES(longest frame to take), 3..65,537
 */
void serial_reader_begin(serial_reader *reader, uint8_t *bytes, uint32_t capacity);

/**
 * Take one byte of the line.
 *
 * @returns the length of the frame that it ends, at `reader->bytes` until the next call; 0: none yet; or why what it ends
 *          was left out, SERIAL_CUT_SHORT to SERIAL_BAD_CHECKSUM
 */
int32_t serial_reader_push(serial_reader *reader, uint8_t byte);

#endif
