/* The board of board.h on Linux, or another POSIX system: standard input and standard output. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

static uint64_t started_ms;

static uint64_t clock_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void board_start(void) {
  started_ms = clock_ms();
}

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

static bool has_input(int wait_ms) {
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, wait_ms) > 0;
}

int32_t board_read_now(uint8_t *bytes, uint32_t most) {
  if (most == 0 || !has_input(0)) return 0;
  const ssize_t got = read(STDIN_FILENO, bytes, most);
  if (got < 0 && errno == EINTR) return 0;
  return got <= 0 ? -1 : (int32_t)got;
}

void board_listen(uint8_t *ring, uint32_t bytes) {
  (void)ring;
  (void)bytes;
}

uint32_t board_missed(void) {
  return 0;
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

void board_wait(void) {
  has_input(1);
}

uint32_t board_now_ms(void) {
  return (uint32_t)(clock_ms() - started_ms);
}

board_count board_counter(void) {
  return (board_count){0, 0};
}

uint32_t board_instructions(board_count from, board_count to) {
  (void)from;
  (void)to;
  return 0;
}

uint32_t board_stack_high_water(void) {
  return 0;
}

void board_exit(int32_t code) {
  exit(code);
}

void board_trap(uint32_t reason) {
  board_exit(BOARD_EXIT_TRAP + (int32_t)reason);
}
