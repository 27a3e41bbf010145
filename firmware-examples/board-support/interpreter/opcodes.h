/* The instructions that the interpreter knows, with what each takes and gives. */
#ifndef INTERPRETER_OPCODES_H
#define INTERPRETER_OPCODES_H

/*
 * What an instruction takes and gives, as `check-code.c` reads it: the first operand in bits 0 and 1, the second in bits 2
 * and 3, the result in bits 4 and 5; 0 is none, 1 an i32, 2 an i64, which is also how many words of the stack it takes. With
 * SPECIAL its rule depends on what follows it.
 */
#define TAKES(first, second, result) ((first) | (second) << 2 | (result) << 4)
#define SPECIAL 0x80
#define TEST32 TAKES(1, 0, 1)
#define TEST64 TAKES(2, 0, 1)
#define COMPARE32 TAKES(1, 1, 1)
#define COMPARE64 TAKES(2, 2, 1)
#define UNARY32 TAKES(1, 0, 1)
#define UNARY64 TAKES(2, 0, 2)
#define BINARY32 TAKES(1, 1, 1)
#define BINARY64 TAKES(2, 2, 2)
#define LOAD32 TAKES(1, 0, 1)
#define LOAD64 TAKES(1, 0, 2)
#define STORE32 TAKES(1, 1, 0)
#define STORE64 TAKES(1, 2, 0)

/** X(opcode, name, rule) for each. @see WebAssembly Core Specification 1.0, section 5.4, "Instructions" */
#define OPCODES(X)                                                                                         \
  X(0x00, UNREACHABLE, SPECIAL) X(0x01, NOP, SPECIAL) X(0x02, BLOCK, SPECIAL) X(0x03, LOOP, SPECIAL)       \
  X(0x04, IF, SPECIAL) X(0x05, ELSE, SPECIAL) X(0x0b, END, SPECIAL) X(0x0c, BR, SPECIAL)                   \
  X(0x0d, BR_IF, SPECIAL) X(0x0e, BR_TABLE, SPECIAL) X(0x0f, RETURN, SPECIAL) X(0x10, CALL, SPECIAL)       \
  X(0x1a, DROP, SPECIAL) X(0x1b, SELECT, SPECIAL)                                                          \
  X(0x20, LOCAL_GET, SPECIAL) X(0x21, LOCAL_SET, SPECIAL) X(0x22, LOCAL_TEE, SPECIAL)                      \
  X(0x23, GLOBAL_GET, SPECIAL) X(0x24, GLOBAL_SET, SPECIAL)                                                \
  X(0x28, I32_LOAD, LOAD32) X(0x29, I64_LOAD, LOAD64) X(0x2c, I32_LOAD8_S, LOAD32)                         \
  X(0x2d, I32_LOAD8_U, LOAD32) X(0x2e, I32_LOAD16_S, LOAD32) X(0x2f, I32_LOAD16_U, LOAD32)                 \
  X(0x30, I64_LOAD8_S, LOAD64) X(0x31, I64_LOAD8_U, LOAD64) X(0x32, I64_LOAD16_S, LOAD64)                  \
  X(0x33, I64_LOAD16_U, LOAD64) X(0x34, I64_LOAD32_S, LOAD64) X(0x35, I64_LOAD32_U, LOAD64)                \
  X(0x36, I32_STORE, STORE32) X(0x37, I64_STORE, STORE64) X(0x3a, I32_STORE8, STORE32)                     \
  X(0x3b, I32_STORE16, STORE32) X(0x3c, I64_STORE8, STORE64) X(0x3d, I64_STORE16, STORE64)                 \
  X(0x3e, I64_STORE32, STORE64)                                                                            \
  X(0x41, I32_CONST, SPECIAL) X(0x42, I64_CONST, SPECIAL)                                                  \
  X(0x45, I32_EQZ, TEST32) X(0x46, I32_EQ, COMPARE32) X(0x47, I32_NE, COMPARE32) X(0x48, I32_LT_S, COMPARE32) \
  X(0x49, I32_LT_U, COMPARE32) X(0x4a, I32_GT_S, COMPARE32) X(0x4b, I32_GT_U, COMPARE32)                   \
  X(0x4c, I32_LE_S, COMPARE32) X(0x4d, I32_LE_U, COMPARE32) X(0x4e, I32_GE_S, COMPARE32)                   \
  X(0x4f, I32_GE_U, COMPARE32)                                                                             \
  X(0x50, I64_EQZ, TEST64) X(0x51, I64_EQ, COMPARE64) X(0x52, I64_NE, COMPARE64) X(0x53, I64_LT_S, COMPARE64) \
  X(0x54, I64_LT_U, COMPARE64) X(0x55, I64_GT_S, COMPARE64) X(0x56, I64_GT_U, COMPARE64)                   \
  X(0x57, I64_LE_S, COMPARE64) X(0x58, I64_LE_U, COMPARE64) X(0x59, I64_GE_S, COMPARE64)                   \
  X(0x5a, I64_GE_U, COMPARE64)                                                                             \
  X(0x67, I32_CLZ, UNARY32) X(0x68, I32_CTZ, UNARY32) X(0x69, I32_POPCNT, UNARY32)                         \
  X(0x6a, I32_ADD, BINARY32) X(0x6b, I32_SUB, BINARY32) X(0x6c, I32_MUL, BINARY32) X(0x6d, I32_DIV_S, BINARY32) \
  X(0x6e, I32_DIV_U, BINARY32) X(0x6f, I32_REM_S, BINARY32) X(0x70, I32_REM_U, BINARY32)                   \
  X(0x71, I32_AND, BINARY32) X(0x72, I32_OR, BINARY32) X(0x73, I32_XOR, BINARY32) X(0x74, I32_SHL, BINARY32) \
  X(0x75, I32_SHR_S, BINARY32) X(0x76, I32_SHR_U, BINARY32) X(0x77, I32_ROTL, BINARY32)                    \
  X(0x78, I32_ROTR, BINARY32)                                                                              \
  X(0x79, I64_CLZ, UNARY64) X(0x7a, I64_CTZ, UNARY64) X(0x7b, I64_POPCNT, UNARY64)                         \
  X(0x7c, I64_ADD, BINARY64) X(0x7d, I64_SUB, BINARY64) X(0x7e, I64_MUL, BINARY64) X(0x7f, I64_DIV_S, BINARY64) \
  X(0x80, I64_DIV_U, BINARY64) X(0x81, I64_REM_S, BINARY64) X(0x82, I64_REM_U, BINARY64)                   \
  X(0x83, I64_AND, BINARY64) X(0x84, I64_OR, BINARY64) X(0x85, I64_XOR, BINARY64) X(0x86, I64_SHL, BINARY64) \
  X(0x87, I64_SHR_S, BINARY64) X(0x88, I64_SHR_U, BINARY64) X(0x89, I64_ROTL, BINARY64)                    \
  X(0x8a, I64_ROTR, BINARY64)                                                                              \
  X(0xa7, I32_WRAP_I64, TAKES(2, 0, 1)) X(0xac, I64_EXTEND_I32_S, TAKES(1, 0, 2))                          \
  X(0xad, I64_EXTEND_I32_U, TAKES(1, 0, 2))                                                                \
  X(0xc0, I32_EXTEND8_S, UNARY32) X(0xc1, I32_EXTEND16_S, UNARY32) X(0xc2, I64_EXTEND8_S, UNARY64)         \
  X(0xc3, I64_EXTEND16_S, UNARY64) X(0xc4, I64_EXTEND32_S, UNARY64)

/** One past the largest. */
#define OPCODES_END 0xc5

#define OPCODE_NUMBER(code, name, rule) OP_##name = (code),
enum { OPCODES(OPCODE_NUMBER) };

/** Logarithm of the bytes that a load or store accesses. */
#define ACCESS_WIDTH(opcode) ((uint32_t)(ACCESS_WIDTHS >> 2 * ((opcode) - OP_I32_LOAD)) & 3u)
/** The same of all of them, two bits each. */
#define ACCESS_WIDTHS                                                                                               \
  (2ull | 3ull << 2 | 1ull << 12 | 1ull << 14 | 1ull << 20 | 1ull << 22 | 2ull << 24 | 2ull << 26 | 2ull << 28 | \
   3ull << 30 | 1ull << 38 | 1ull << 42 | 2ull << 44)

#endif
