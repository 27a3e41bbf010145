#include "binary-format.h"

uint32_t leb_u32(const uint8_t **at) {
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

uint64_t leb_s64(const uint8_t **at) {
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

const uint8_t ACCESS_WIDTHS[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};
