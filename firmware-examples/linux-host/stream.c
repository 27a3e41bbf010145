#define _POSIX_C_SOURCE 200809L
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/** The length that the first two bytes give. */
static uint32_t announced(const stream_input *in) {
  return (uint32_t)in->bytes[0] << 8 | in->bytes[1];
}

int32_t stream_read(stream_input *in, int wait_ms) {
  if (in->filled >= 2 && in->filled == 2 + announced(in)) in->filled = 0; /* the message handed out last time */
  while (!in->is_closed) {
    struct pollfd readable = {in->file, POLLIN, 0};
    const int ready = poll(&readable, 1, wait_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return 0;
    const uint32_t wanted = in->filled < 2 ? 2 : 2 + announced(in);
    const ssize_t got = read(in->file, in->bytes + in->filled, wanted - in->filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      in->is_closed = true;
      return 0;
    }
    in->filled += (uint32_t)got;
    if (in->filled < 2) continue;
    const uint32_t length = announced(in);
    if (length == 0 || length > DEVICE_INPUT_BYTES) return -1;
    if (in->filled == 2 + length) return (int32_t)length;
  }
  return 0;
}

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

bool stream_write(int file, const uint8_t *message, uint32_t length) {
  const uint8_t header[2] = {(uint8_t)(length >> 8), (uint8_t)length};
  return write_all(file, header, 2) && write_all(file, message, length);
}
