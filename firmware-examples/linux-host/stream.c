#define _POSIX_C_SOURCE 200809L
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/** Bytes for a serial line on their way to one write(). */
typedef struct {
  int file;
  uint32_t filled;
  uint8_t bytes[64];
} line_chunk;

static bool write_all(int file, const uint8_t *bytes, uint32_t length) {
  while (length > 0) {
    const ssize_t put = write(file, bytes, length);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes += put;
    length -= (uint32_t)put;
  }
  return true;
}

static bool put_chunk(line_chunk *chunk) {
  const uint32_t length = chunk->filled;
  chunk->filled = 0;
  return write_all(chunk->file, chunk->bytes, length);
}

static bool put_byte(void *line, uint8_t byte) {
  line_chunk *chunk = (line_chunk *)line;
  chunk->bytes[chunk->filled++] = byte;
  return chunk->filled < sizeof chunk->bytes || put_chunk(chunk);
}

bool stream_begin(stream *s, int in, int out, bool is_serial) {
  static const uint8_t zero = 0;
  s->in = in;
  s->out = out;
  s->is_serial = is_serial;
  s->is_closed = false;
  s->filled = 0;
  serial_reader_begin(&s->reader, s->bytes, sizeof s->bytes);
  return !is_serial || write_all(out, &zero, 1);
}

/** The length that the first two bytes give. */
static uint32_t announced(const stream *s) {
  return (uint32_t)s->bytes[0] << 8 | s->bytes[1];
}

/** Read up to `most` bytes once some are there. @returns how many; 0: none came, or the peer has closed */
static uint32_t read_some(stream *s, uint8_t *bytes, uint32_t most, int wait_ms) {
  for (;;) {
    struct pollfd readable = {s->in, POLLIN, 0};
    const int ready = poll(&readable, 1, wait_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return 0;
    const ssize_t got = read(s->in, bytes, most);
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) return (uint32_t)got;
    s->is_closed = true;
    return 0;
  }
}

static int32_t read_serial(stream *s, int wait_ms, const uint8_t **message) {
  uint8_t byte = 0;
  *message = s->bytes;
  while (!s->is_closed && read_some(s, &byte, 1, wait_ms) > 0) {
    const int32_t length = serial_reader_push(&s->reader, byte);
    if (length > 0) return length;
  }
  return 0;
}

static int32_t read_prefixed(stream *s, int wait_ms, const uint8_t **message) {
  *message = s->bytes + 2;
  if (s->filled >= 2 && s->filled == 2 + announced(s)) s->filled = 0; /* the message handed out last time */
  while (!s->is_closed) {
    const uint32_t wanted = s->filled < 2 ? 2 : 2 + announced(s);
    const uint32_t got = read_some(s, s->bytes + s->filled, wanted - s->filled, wait_ms);
    if (got == 0) return 0;
    s->filled += got;
    if (s->filled < 2) continue;
    const uint32_t length = announced(s);
    if (length == 0 || length > DEVICE_INPUT_BYTES) return -1;
    if (s->filled == 2 + length) return (int32_t)length;
  }
  return 0;
}

int32_t stream_read(stream *s, int wait_ms, const uint8_t **message) {
  return s->is_serial ? read_serial(s, wait_ms, message) : read_prefixed(s, wait_ms, message);
}

bool stream_write(const stream *s, const uint8_t *message, uint32_t length) {
  if (s->is_serial) {
    line_chunk chunk = {.file = s->out};
    return serial_write(message, length, put_byte, &chunk) && put_chunk(&chunk);
  }
  const uint8_t header[2] = {(uint8_t)(length >> 8), (uint8_t)length};
  return write_all(s->out, header, 2) && write_all(s->out, message, length);
}
