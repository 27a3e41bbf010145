/* Instructions of 64 bits that are not used often: apart from the others, whose registers they would take. */
#ifndef INTERPRETER_WIDE_H
#define INTERPRETER_WIDE_H

#include "interpreter.h"

/**
 * Run one of them.
 *
 * @param operands  two words each, the low one first; the result takes their place
 * @returns INTERPRETER_OK or a trap
 */
interpreter_code wide_instruction(uint32_t opcode, uint32_t *operands);

/** Ones. @see Warren, "Hacker's Delight", section 5-1 */
static inline uint32_t population(uint32_t value) {
  value -= value >> 1 & 0x55555555u;
  value = (value & 0x33333333u) + (value >> 2 & 0x33333333u);
  return ((value + (value >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}

/** Zeros below the lowest one, 32 of 0. */
static inline uint32_t trailing_zeros(uint32_t value) {
  return population(~value & (value - 1));
}

/** Leading zeros, 32 of 0. */
static inline uint32_t leading_zeros(uint32_t value) {
#if defined(__GNUC__)
  return value == 0 ? 32 : (uint32_t)__builtin_clz(value);
#else
  uint32_t count = 32;
  for (; value != 0; value >>= 1) count--;
  return count;
#endif
}

#endif
