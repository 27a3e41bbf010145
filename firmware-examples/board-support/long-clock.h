/*
 * Milliseconds that do not wrap, out of a board's clock that does after 2^32 of them, 49.7 days. Ask at least once in 2^31
 * milliseconds, 24.8 days: a device asks with every sample.
 */
#ifndef LONG_CLOCK_H
#define LONG_CLOCK_H

#include <stdint.h>

typedef struct {
  int64_t ms; /* when it was asked last */
} long_clock;

/** Milliseconds now. @param now_ms  what the board's clock says; a reading older than the last one changes nothing */
static inline int64_t long_clock_at(long_clock *self, uint32_t now_ms) {
  const int32_t passed = (int32_t)(now_ms - (uint32_t)self->ms);
  if (passed > 0) self->ms += passed;
  return self->ms;
}

#endif
