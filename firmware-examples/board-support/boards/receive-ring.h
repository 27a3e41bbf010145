/*
 * Bytes on their way from the interrupt that receives them to the program that reads them later. One writes, one reads;
 * no lock is needed on one processor. When it is full the newest bytes are dropped, and counted.
 *
 *     read                     written              both only count up; their difference is what waits
 *      │                        │
 *      ▼                        ▼
 *   │ 7 │ 8 │ 9 │ … │ 41 │ 42 │   │   │             capacity: a power of two
 */
#ifndef RECEIVE_RING_H
#define RECEIVE_RING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  volatile uint8_t *bytes;
  uint32_t capacity;
  volatile uint32_t written; /* moved by the interrupt alone */
  volatile uint32_t read;    /* moved by the program alone */
  volatile uint32_t missed;  /* dropped for want of room; wraps */
} receive_ring;

/**
 * Begin empty; before the interrupt is let in.
 *
 * @param bytes     the ring's from now on
 * @param capacity  of them, all of which are used: a power of two
 */
static inline void receive_ring_begin(receive_ring *self, volatile uint8_t *bytes, uint32_t capacity) {
  self->bytes = bytes;
  self->capacity = capacity;
  self->written = 0;
  self->read = 0;
  self->missed = 0;
}

/** Bytes that wait, 0..capacity. */
static inline uint32_t receive_ring_waiting(const receive_ring *self) {
  return self->written - self->read;
}

/** Keep a byte, or count it as missed. In the interrupt. */
static inline void receive_ring_push(receive_ring *self, uint8_t byte) {
  const uint32_t at = self->written;
  if (at - self->read == self->capacity) {
    self->missed = self->missed + 1u;
    return;
  }
  self->bytes[at & (self->capacity - 1u)] = byte;
  self->written = at + 1u; /* last: now the byte is the reader's */
}

/** The oldest byte; only when one waits. In the program. */
static inline uint8_t receive_ring_take(receive_ring *self) {
  const uint32_t at = self->read;
  const uint8_t byte = self->bytes[at & (self->capacity - 1u)];
  self->read = at + 1u; /* last: now the room is the interrupt's */
  return byte;
}

#endif
