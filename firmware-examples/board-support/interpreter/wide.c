#include "wide.h"

#include "opcodes.h"

static void set(uint32_t *words, uint64_t value) {
  words[0] = (uint32_t)value;
  words[1] = (uint32_t)(value >> 32);
}

/** Of each comparison, when it holds: 1 for less, 2 for equal, 4 for greater. */
static const uint8_t HOLDS[] = {2, 5, 1, 1, 4, 4, 3, 3, 6, 6};

static uint32_t compare(uint32_t opcode, uint64_t a, uint64_t b) {
  if (opcode >= OP_I64_LT_S && (opcode & 1u) != 0) {
    a ^= 1ull << 63;
    b ^= 1ull << 63;
  }
  return (HOLDS[opcode - OP_I64_EQ] & (a < b ? 1u : a == b ? 2u : 4u)) != 0;
}

/**
 * One bit after the other: the compiler's library is faster, and as large as all of this file.
 *
 * @param a  the quotient takes its place
 * @returns the remainder
 */
static uint64_t divide_unsigned(uint64_t *a, uint64_t b) {
  uint64_t rest = 0;
  for (uint32_t i = 0; i < 64; i++) {
    const bool is_over = rest >> 63 != 0;
    rest = rest << 1 | *a >> 63;
    *a <<= 1;
    if (is_over || rest >= b) {
      rest -= b;
      *a |= 1;
    }
  }
  return rest;
}

static interpreter_code divide(uint32_t opcode, uint64_t a, uint64_t b, uint32_t *result) {
  const bool is_signed = (opcode & 1u) != 0;
  const bool is_remainder = opcode >= OP_I64_REM_S;
  const bool is_below = is_signed && a >> 63 != 0;
  const bool is_by_below = is_signed && b >> 63 != 0;
  if (b == 0) return INTERPRETER_DIVIDE_BY_ZERO;
  if (opcode == OP_I64_DIV_S && b == ~0ull && a == 1ull << 63) return INTERPRETER_INT_OVERFLOW;
  if (is_below) a = 0 - a;
  if (is_by_below) b = 0 - b;
  const uint64_t rest = divide_unsigned(&a, b);
  const uint64_t found = is_remainder ? rest : a;
  set(result, is_below != (is_by_below && !is_remainder) ? 0 - found : found);
  return INTERPRETER_OK;
}

interpreter_code wide_instruction(uint32_t opcode, uint32_t *operands) {
  const uint64_t a = operands[0] | (uint64_t)operands[1] << 32;
  /* A rotation to the left is one to the right by the rest. */
  const uint32_t by = (opcode == OP_I64_ROTL ? 0u - operands[2] : operands[2]) & 63u;
  switch (opcode) {
    case OP_I64_CLZ:
      set(operands, operands[1] != 0 ? leading_zeros(operands[1]) : 32 + leading_zeros(operands[0]));
      break;
    case OP_I64_CTZ:
      set(operands, operands[0] != 0 ? trailing_zeros(operands[0]) : 32 + trailing_zeros(operands[1]));
      break;
    case OP_I64_POPCNT: set(operands, population(operands[0]) + population(operands[1])); break;
    case OP_I64_EXTEND8_S: set(operands, (uint64_t)(int8_t)operands[0]); break;
    case OP_I64_EXTEND16_S: set(operands, (uint64_t)(int16_t)operands[0]); break;
    case OP_I64_EXTEND32_S: set(operands, (uint64_t)(int32_t)operands[0]); break;
    case OP_I64_SHL: set(operands, a << by); break;
    case OP_I64_SHR_S: set(operands, (uint64_t)((int64_t)a >> by)); break; /* arithmetic in every compiler we know */
    case OP_I64_SHR_U: set(operands, a >> by); break;
    case OP_I64_ROTL:
    case OP_I64_ROTR: set(operands, a >> by | a << ((0u - by) & 63u)); break;
    default: {
      const uint64_t b = operands[2] | (uint64_t)operands[3] << 32;
      if (opcode > OP_I64_GE_U) return divide(opcode, a, b, operands);
      operands[0] = compare(opcode, a, b);
      break;
    }
  }
  return INTERPRETER_OK;
}
