/* Numbers of a module that was checked. */
#ifndef INTERPRETER_LEB128_H
#define INTERPRETER_LEB128_H

#include <stdint.h>

/** Read an unsigned number of up to 32 bits. @param at  moved behind it */
static inline uint32_t leb_u32(const uint8_t **at) {
  uint32_t value = 0;
  uint32_t shift = 0;
  uint32_t byte;
  do {
    byte = *(*at)++;
    value |= (byte & 0x7fu) << shift;
    shift += 7;
  } while (byte >= 0x80u);
  return value;
}

/** Read a signed number of up to 32 bits. @param at  moved behind it */
static inline uint32_t leb_s32(const uint8_t **at) {
  uint32_t value = 0;
  uint32_t shift = 0;
  uint32_t byte;
  do {
    byte = *(*at)++;
    value |= (byte & 0x7fu) << shift;
    shift += 7;
  } while (byte >= 0x80u);
  return shift < 32 && (byte & 0x40u) != 0 ? value | ~0u << shift : value;
}

/** Read a signed number of up to 64 bits. */
static inline uint64_t leb_s64(const uint8_t **at) {
  uint64_t value = 0;
  uint32_t shift = 0;
  uint32_t byte;
  do {
    byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7fu) << shift;
    shift += 7;
  } while (byte >= 0x80u);
  return shift < 64 && (byte & 0x40u) != 0 ? value | ~(uint64_t)0 << shift : value;
}

#endif
