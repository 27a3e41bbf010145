/*
 * bare-metal.c around a UART that holds one byte, for receive.test.ts. Input: commands of one byte.
 *
 *     b x   the byte x comes; it is lost when the UART still holds one
 *     i     the UART's interrupt
 *     l n   listens with a ring of n bytes
 *     r     reads what is there: answers u8 how many, then those
 *     m     answers u8 how many were missed
 *     w     sends 100 bytes through a ring of 8 whose counters wrap meanwhile: answers u8 how many came out in order
 */
#include <stdio.h>
#include <stdlib.h>

#include "bare-metal.h"
#include "receive-ring.h"

static uint8_t held;
static bool is_held;
static bool has_lost;
/** Of bare-metal.c, and of no use here. */
uint32_t board_stack_low[1], board_stack_high[1], board_data_load[1], board_data_start[1];
uint32_t board_data_end[1], board_zero_start[1], board_zero_end[1];

static uint8_t next(void) {
  const int byte = getchar();
  if (byte == EOF) exit(0);
  return (uint8_t)byte;
}

void cpu_start(void) {
}

void cpu_listen(void) {
}

void cpu_wait(void) {
}

uint32_t *cpu_stack(void) {
  return board_stack_low;
}

void cpu_exit(int32_t code) {
  exit(code);
}

void uart_start(void) {
}

bool uart_has_byte(void) {
  return is_held;
}

uint8_t uart_take(void) {
  is_held = false;
  return held;
}

bool uart_has_lost(void) {
  const bool since_last = has_lost;
  has_lost = false;
  return since_last;
}

void uart_put(uint8_t byte) {
  putchar(byte);
}

void uart_drain(void) {
}

void uart_acknowledge(void) {
}

static void bring(uint8_t byte) {
  if (is_held) has_lost = true;
  else held = byte;
  is_held = true;
}

static void read_all(void) {
  uint8_t bytes[256];
  const uint8_t count = (uint8_t)board_read_now(bytes, sizeof bytes);
  board_write(&count, 1);
  board_write(bytes, count);
}

static void wrap_counters(void) {
  static uint8_t room[8];
  receive_ring ring;
  uint8_t in_order = 0;
  receive_ring_begin(&ring, room, sizeof room);
  ring.written = ring.read = UINT32_MAX - 20u;
  for (uint8_t sent = 0; sent < 100; sent = (uint8_t)(sent + 5)) {
    for (uint8_t i = 0; i < 5; i++) receive_ring_push(&ring, (uint8_t)(sent + i));
    for (uint8_t i = 0; i < 5 && receive_ring_waiting(&ring) > 0; i++) {
      if (receive_ring_take(&ring) == sent + i) in_order++;
    }
  }
  board_write(&in_order, 1);
}

int main(void) {
  static uint8_t ring[128];
  for (;;) {
    switch (next()) {
      case 'b': bring(next()); break;
      case 'i': bare_metal_receive(); break;
      case 'l': board_listen(ring, next()); break;
      case 'r': read_all(); break;
      case 'm': {
        const uint8_t missed = (uint8_t)board_missed();
        board_write(&missed, 1);
        break;
      }
      case 'w': wrap_counters(); break;
      default: return 9;
    }
  }
}
