/* Bytes that are read where they are. */
#ifndef BYTE_SPAN_H
#define BYTE_SPAN_H

#include <stdint.h>

/** `length` bytes at `bytes`; which may be NULL where there are none. */
typedef struct {
  const uint8_t *bytes;
  uint32_t length;
} byte_span;

#endif
