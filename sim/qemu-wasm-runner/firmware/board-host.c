/* The board `host`: standard input and standard output. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <unistd.h>

#include "board.h"

bool board_read(uint8_t *bytes, uint32_t length) {
  while (length > 0) {
    const ssize_t got = read(STDIN_FILENO, bytes, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    length -= (uint32_t)got;
  }
  return true;
}

bool board_write(const uint8_t *bytes, uint32_t length) {
  while (length > 0) {
    const ssize_t put = write(STDOUT_FILENO, bytes, length);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes += put;
    length -= (uint32_t)put;
  }
  return true;
}
