/* Numbers in bytes, the lowest first, at any address. */
#ifndef LITTLE_ENDIAN_H
#define LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint32_t load32(const uint8_t *from) {
  return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline void store32(uint8_t *to, uint32_t value) {
  for (uint32_t i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

#endif
