/*
 * Runs board-support/serial-framing.c for a test. `encode`: standard input holds frames, each after its length as u32
 * little-endian; their line goes to standard output. `decode CAPACITY`: standard input is a line; for each result other
 * than 0 its i32, then the frame if it is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serial-framing.h"

static uint8_t frame[SERIAL_FRAME_MAX + 1u];
/** Behind the reader's bytes stands a guard that it must not touch. */
static uint8_t read_bytes[SERIAL_READER_BYTES(SERIAL_FRAME_MAX) + 16u];

static bool put(void *line, uint8_t byte) { return fputc(byte, (FILE *)line) != EOF; }

/** A line that refuses the one byte before which so many were taken. */
static bool put_some(void *line, uint8_t byte) {
  uint32_t *room = (uint32_t *)line;
  (void)byte;
  return (*room)-- != 0;
}

/** A line that refuses a byte is told wherever it does, and one that would refuse the byte behind the frame is not. */
static bool tells_every_break(uint32_t length) {
  uint32_t bytes = 0;
  for (uint32_t room = bytes; !serial_write(frame, length, put_some, &room); room = bytes) {
    if (++bytes > length + length / 254u + 5u) return false;
  }
  return bytes > length;
}

/** The frame in three parts, cut by its length: some of a short one are empty. */
static bool write_in_parts(uint32_t length) {
  const uint32_t first = length / 3, second = length / 2;
  const byte_span parts[SERIAL_PARTS_MAX] = {
      {frame, first}, {frame + first, second - first}, {frame + second, length - second}};
  return serial_write_parts(parts, SERIAL_PARTS_MAX, put, stdout);
}

static int encode(void) {
  uint8_t head[4];
  while (fread(head, 1, sizeof head, stdin) == sizeof head) {
    const uint32_t length = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16;
    if (length > sizeof frame || fread(frame, 1, length, stdin) != length) return 2;
    const bool is_frame = length > 0 && length <= SERIAL_FRAME_MAX;
    if (write_in_parts(length) != is_frame) return 3;
    if (is_frame && length < 600 && !tells_every_break(length)) return 4;
  }
  return 0;
}

static int decode(uint32_t capacity) {
  serial_reader reader;
  serial_reader_begin(&reader, read_bytes, capacity);
  memset(read_bytes + capacity, 0xa5, 16);
  for (int byte = fgetc(stdin); byte != EOF; byte = fgetc(stdin)) {
    const int32_t found = serial_reader_push(&reader, (uint8_t)byte);
    if (found == 0) continue;
    fwrite(&found, sizeof found, 1, stdout);
    if (found > 0) fwrite(reader.bytes, 1, (size_t)found, stdout);
  }
  for (uint32_t i = 0; i < 16; i++) {
    if (read_bytes[capacity + i] != 0xa5) return 5;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "encode") == 0) return encode();
  if (argc != 3 || strcmp(argv[1], "decode") != 0) return 1;
  const unsigned long capacity = strtoul(argv[2], NULL, 10);
  return capacity > SERIAL_READER_BYTES(SERIAL_FRAME_MAX) ? 1 : decode((uint32_t)capacity);
}
