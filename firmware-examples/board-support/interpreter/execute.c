/*
 * Runs a function of a checked module. Nothing is asked again that the check has proven.
 *
 * Values are words; an i64 is two, the low one first. The topmost word is in `top`, the others are in memory below `sp`,
 * so that most instructions touch memory once. A call's arguments become the first locals where they lie:
 *
 *     stack: globals | locals | junk, operands ─▶ | locals of the function called | junk, operands ─▶     ◀─ frames
 *
 * Branches find their targets in the tables of the index: `table` moves along with `pc`, over what each instruction has
 * there, and a branch that is taken sets both.
 */
#include <string.h>

#include "interpreter.h"
#include "leb128.h"
#include "module-index.h"
#include "opcodes.h"

/** For a function whose locals are each an i32. */
#define ROW(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
static const uint8_t NARROW[LOCALS_MAX + 1] = {ROW(0),  ROW(8),  ROW(16), ROW(24), ROW(32),  ROW(40),  ROW(48),  ROW(56),
                                               ROW(64), ROW(72), ROW(80), ROW(88), ROW(96), ROW(104), ROW(112), ROW(120)};

#if defined(__GNUC__) && !defined(INTERPRETER_SWITCH)
/* Each instruction jumps to the next one's code by itself. */
#pragma GCC diagnostic ignored "-Wpedantic"
#define LABEL(code, name, rule) [code] = &&case_##name,
#define CASE(name) case_##name
#define NEXT goto *HANDLERS[*pc++]
#define RUN NEXT;
#define RUN_END
#define DECLARE_HANDLERS static const void *const HANDLERS[OPCODES_END] = {OPCODES(LABEL)}
#else
#define CASE(name) case OP_##name
#define NEXT goto next
#define RUN \
  next:     \
  switch (*pc++) {
#define RUN_END }
#define DECLARE_HANDLERS
#endif

#define PUSH(word)  \
  do {              \
    *sp++ = top;    \
    top = (word);   \
  } while (0)
/** The value of two words on top. */
#define TOP64 ((uint64_t)top << 32 | sp[-1])
#define SECOND64 ((uint64_t)sp[-2] << 32 | sp[-3])
#define SET64(value)               \
  do {                             \
    const uint64_t given = value;  \
    sp[-1] = (uint32_t)given;      \
    top = (uint32_t)(given >> 32); \
  } while (0)

#define BINARY_32(name, expression) \
  CASE(name) : {                    \
    const uint32_t a = *--sp;       \
    const uint32_t b = top;         \
    top = (uint32_t)(expression);   \
    NEXT;                           \
  }
#define SIGNED_32(name, operator) BINARY_32(name, (int32_t)a operator(int32_t) b)
#define BINARY_64(name, expression) \
  CASE(name) : {                    \
    const uint64_t a = SECOND64;    \
    const uint64_t b = TOP64;       \
    sp -= 2;                        \
    SET64(expression);              \
    NEXT;                           \
  }
#define COMPARE_64(name, expression) \
  CASE(name) : {                     \
    const uint64_t a = SECOND64;     \
    const uint64_t b = TOP64;        \
    sp -= 3;                         \
    top = (expression);              \
    NEXT;                            \
  }
#define STOP(reason) \
  do {               \
    code = (reason); \
    goto stop;       \
  } while (0)

/** Read the offset of an access; its alignment is passed over. @returns the address, from the memory's start */
#define ADDRESS(address, bytes)                                                         \
  uint32_t offset = pc[1];                                                              \
  pc += 2;                                                                              \
  if (offset >= 0x80u) {                                                                \
    pc--;                                                                               \
    offset = leb_u32(&pc);                                                              \
  }                                                                                     \
  const uint32_t address = top + offset;                                                \
  if (address < offset || address > memory_bytes - (bytes)) STOP(INTERPRETER_OUT_OF_BOUNDS)

#define LOAD_32(name, type)                       \
  CASE(name) : {                                  \
    type value;                                   \
    ADDRESS(address, sizeof value);               \
    memcpy(&value, memory + address, sizeof value); \
    top = (uint32_t)value;                        \
    NEXT;                                         \
  }
#define LOAD_64(name, type)                       \
  CASE(name) : {                                  \
    type value;                                   \
    ADDRESS(address, sizeof value);               \
    memcpy(&value, memory + address, sizeof value); \
    sp++;                                         \
    SET64((uint64_t)value);                       \
    NEXT;                                         \
  }
#define STORE_32(name, type)                      \
  CASE(name) : {                                  \
    const type value = (type)top;                 \
    top = *--sp;                                  \
    ADDRESS(address, sizeof value);               \
    memcpy(memory + address, &value, sizeof value); \
    top = *--sp;                                  \
    NEXT;                                         \
  }
#define STORE_64(name, type)                      \
  CASE(name) : {                                  \
    const type value = (type)TOP64;               \
    sp -= 2;                                      \
    top = *sp;                                    \
    ADDRESS(address, sizeof value);               \
    memcpy(memory + address, &value, sizeof value); \
    top = *--sp;                                  \
    NEXT;                                         \
  }

/** Leading zeros, 32 of 0. */
static uint32_t leading_zeros(uint32_t value) {
#if defined(__GNUC__)
  return value == 0 ? 32 : (uint32_t)__builtin_clz(value);
#else
  uint32_t count = 32;
  for (; value != 0; value >>= 1) count--;
  return count;
#endif
}

/** Ones. @see Warren, "Hacker's Delight", section 5-1 */
static uint32_t population(uint32_t value) {
  value -= value >> 1 & 0x55555555u;
  value = (value & 0x33333333u) + (value >> 2 & 0x33333333u);
  return ((value + (value >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}

/** Zeros below the lowest one, 32 of 0. */
static uint32_t trailing_zeros(uint32_t value) {
  return population(~value & (value - 1));
}

interpreter_code interpreter_call(interpreter *vm, uint32_t function, const uint32_t *args, uint32_t *results,
                                  uint32_t gas) {
  DECLARE_HANDLERS;
  const index_header *header = vm->index;
  const uint8_t *const index_bytes = vm->index;
  const index_record *const records = (const index_record *)(const void *)(index_bytes + header->records);
  const uint16_t *const tables = (const uint16_t *)(const void *)(index_bytes + header->tables);
  const uint8_t *const module = vm->module;
  uint8_t *const memory = vm->memory;
  const uint32_t memory_bytes = vm->memory_bytes;
  const index_record *record = records + function;
  uint32_t *sp = vm->stack + header->global_words;
  uint32_t *frame = vm->stack + vm->stack_words;
  uint32_t *locals = sp;
  uint32_t top = 0;
  const uint8_t *pc = module;
  const uint8_t *end = module;
  const uint16_t *table = tables;
  const uint8_t *places = NARROW;
  interpreter_code code = INTERPRETER_OK;

  if (function >= header->functions) return INTERPRETER_BAD_INDEX;
  if ((uint32_t)(frame - sp) < record->need) STOP(INTERPRETER_STACK_EXHAUSTED);
  for (uint32_t i = 0; i < record->params; i++) *sp++ = args[i];
  goto enter;

  RUN

  CASE(UNREACHABLE) : STOP(INTERPRETER_UNREACHABLE);
  CASE(NOP) : NEXT;
  CASE(BLOCK) : CASE(LOOP) : pc++;
  NEXT;

  CASE(IF) : {
    const uint32_t condition = top;
    top = *--sp;
    if (condition == 0) goto branch;
    pc++;
    table += TARGET_HALFWORDS;
    NEXT;
  }
  CASE(BR_IF) : {
    const uint32_t condition = top;
    top = *--sp;
    if (condition != 0) goto branch;
    pc++;
    table += TARGET_HALFWORDS;
    NEXT;
  }
  CASE(BR_TABLE) : {
    const uint32_t wanted = top;
    const uint32_t count = leb_u32(&pc);
    top = *--sp;
    table += TARGET_HALFWORDS * (wanted < count ? wanted : count);
    goto branch;
  }
  CASE(ELSE) : CASE(BR) : branch : {
    const uint8_t *to = module + table[0];
    const uint32_t kept = table[2];
    table = tables + table[1];
    if (to < pc) {
      const uint32_t length = (uint32_t)(pc - to);
      if (gas < length) STOP(INTERPRETER_GAS_EXHAUSTED);
      gas -= length;
    }
    pc = to;
    if (kept > 3) {
      sp -= kept >> 2;
      if ((kept & 3) == 0) top = *sp;
      if ((kept & 3) == 2) sp[-1] = sp[(kept >> 2) - 1];
    }
    NEXT;
  }
  CASE(END) : if (pc <= end) NEXT;
  CASE(RETURN) : {
    if (frame == vm->stack + vm->stack_words) goto stop;
    if (record->results == 0) top = locals[-1];
    if (record->results == 2) *locals = sp[-1];
    sp = record->results == 0 ? locals - 1 : locals + record->results - 1;
    pc = module + (frame[0] & 0xffffu);
    table = tables + (frame[0] >> 16);
    locals = vm->stack + (frame[1] & 0xffffu);
    record = records + (frame[1] >> 16);
    frame += FRAME_WORDS;
    end = module + record->end;
    places = record->locals == NO_MAP ? NARROW : (const uint8_t *)(tables + record->locals);
    NEXT;
  }
  CASE(CALL) : {
    const uint32_t number = leb_u32(&pc);
    const index_record *called = records + number;
    *sp++ = top;
    uint32_t *its_locals = sp - called->params;
    if ((uint32_t)(frame - its_locals) < called->need) STOP(INTERPRETER_STACK_EXHAUSTED);
    frame -= FRAME_WORDS;
    frame[0] = (uint32_t)(pc - module) | (uint32_t)(table - tables) << 16;
    frame[1] = (uint32_t)(locals - vm->stack) | (uint32_t)(record - records) << 16;
    record = called;
    locals = its_locals;
  }
  enter : {
    const uint32_t length = (uint32_t)(record->end - record->code) + 1u;
    for (uint32_t i = record->zeroed; i > 0; i--) *sp++ = 0;
    pc = module + record->code;
    end = module + record->end;
    table = tables + record->table;
    places = record->locals == NO_MAP ? NARROW : (const uint8_t *)(tables + record->locals);
    if (gas < length) STOP(INTERPRETER_GAS_EXHAUSTED);
    gas -= length;
    NEXT;
  }

  CASE(DROP) : sp -= *table++;
  top = *sp;
  NEXT;
  CASE(SELECT) : {
    const uint32_t is_first = top;
    if (*table++ == 1) {
      const uint32_t second = sp[-1];
      sp -= 2;
      top = is_first != 0 ? *sp : second;
      NEXT;
    }
    sp -= 3;
    top = sp[is_first != 0 ? 0 : 2];
    if (is_first == 0) sp[-1] = sp[1];
    NEXT;
  }
  CASE(LOCAL_GET) : {
    const uint32_t place = places[*pc++];
    if (place >= WIDE) {
      const uint32_t *local = locals + (place - WIDE);
      *sp++ = top;
      *sp++ = local[0];
      top = local[1];
      NEXT;
    }
    PUSH(locals[place]);
    NEXT;
  }
  CASE(LOCAL_SET) : {
    const uint32_t place = places[*pc++];
    if (place >= WIDE) {
      uint32_t *local = locals + (place - WIDE);
      local[1] = top;
      local[0] = *--sp;
    } else locals[place] = top;
    top = *--sp;
    NEXT;
  }
  CASE(LOCAL_TEE) : {
    const uint32_t place = places[*pc++];
    if (place >= WIDE) {
      uint32_t *local = locals + (place - WIDE);
      local[1] = top;
      local[0] = sp[-1];
    } else locals[place] = top;
    NEXT;
  }
  CASE(GLOBAL_GET) : {
    const uint32_t place = index_bytes[INDEX_GLOBALS + *pc++];
    const uint32_t *global = vm->stack + (place & ~WIDE);
    PUSH(global[0]);
    if (place >= WIDE) PUSH(global[1]);
    NEXT;
  }
  CASE(GLOBAL_SET) : {
    const uint32_t place = index_bytes[INDEX_GLOBALS + *pc++];
    uint32_t *global = vm->stack + (place & ~WIDE);
    if (place >= WIDE) {
      global[1] = top;
      top = *--sp;
    }
    global[0] = top;
    top = *--sp;
    NEXT;
  }

  LOAD_32(I32_LOAD, uint32_t)
  LOAD_32(I32_LOAD8_S, int8_t)
  LOAD_32(I32_LOAD8_U, uint8_t)
  LOAD_32(I32_LOAD16_S, int16_t)
  LOAD_32(I32_LOAD16_U, uint16_t)
  LOAD_64(I64_LOAD, uint64_t)
  LOAD_64(I64_LOAD8_S, int8_t)
  LOAD_64(I64_LOAD8_U, uint8_t)
  LOAD_64(I64_LOAD16_S, int16_t)
  LOAD_64(I64_LOAD16_U, uint16_t)
  LOAD_64(I64_LOAD32_S, int32_t)
  LOAD_64(I64_LOAD32_U, uint32_t)
  STORE_32(I32_STORE, uint32_t)
  STORE_32(I32_STORE8, uint8_t)
  STORE_32(I32_STORE16, uint16_t)
  STORE_64(I64_STORE, uint64_t)
  STORE_64(I64_STORE8, uint8_t)
  STORE_64(I64_STORE16, uint16_t)
  STORE_64(I64_STORE32, uint32_t)

  CASE(I32_CONST) : {
    const uint32_t byte = *pc;
    *sp++ = top;
    if (byte < 0x80u) {
      pc++;
      top = (byte ^ 0x40u) - 0x40u;
      NEXT;
    }
    top = leb_s32(&pc);
    NEXT;
  }
  CASE(I64_CONST) : {
    const uint64_t value = leb_s64(&pc);
    PUSH((uint32_t)value);
    PUSH((uint32_t)(value >> 32));
    NEXT;
  }

  CASE(I32_EQZ) : top = top == 0;
  NEXT;
  BINARY_32(I32_EQ, a == b)
  BINARY_32(I32_NE, a != b)
  SIGNED_32(I32_LT_S, <)
  BINARY_32(I32_LT_U, a < b)
  SIGNED_32(I32_GT_S, >)
  BINARY_32(I32_GT_U, a > b)
  SIGNED_32(I32_LE_S, <=)
  BINARY_32(I32_LE_U, a <= b)
  SIGNED_32(I32_GE_S, >=)
  BINARY_32(I32_GE_U, a >= b)
  CASE(I64_EQZ) : top = (top | *--sp) == 0;
  NEXT;
  COMPARE_64(I64_EQ, a == b)
  COMPARE_64(I64_NE, a != b)
  COMPARE_64(I64_LT_S, (int64_t)a < (int64_t)b)
  COMPARE_64(I64_LT_U, a < b)
  COMPARE_64(I64_GT_S, (int64_t)a > (int64_t)b)
  COMPARE_64(I64_GT_U, a > b)
  COMPARE_64(I64_LE_S, (int64_t)a <= (int64_t)b)
  COMPARE_64(I64_LE_U, a <= b)
  COMPARE_64(I64_GE_S, (int64_t)a >= (int64_t)b)
  COMPARE_64(I64_GE_U, a >= b)

  CASE(I32_CLZ) : top = leading_zeros(top);
  NEXT;
  CASE(I32_CTZ) : top = trailing_zeros(top);
  NEXT;
  CASE(I32_POPCNT) : top = population(top);
  NEXT;
  BINARY_32(I32_ADD, a + b)
  BINARY_32(I32_SUB, a - b)
  BINARY_32(I32_MUL, a * b)
  CASE(I32_DIV_S) : CASE(I32_REM_S) : {
    const uint32_t a = *--sp;
    const uint32_t b = top;
    const bool is_division = pc[-1] == OP_I32_DIV_S;
    if (b == 0) STOP(INTERPRETER_DIVIDE_BY_ZERO);
    if (b == ~0u) {
      if (is_division && a == 0x80000000u) STOP(INTERPRETER_INT_OVERFLOW);
      top = is_division ? 0u - a : 0;
      NEXT;
    }
    top = (uint32_t)(is_division ? (int32_t)a / (int32_t)b : (int32_t)a % (int32_t)b);
    NEXT;
  }
  CASE(I32_DIV_U) : CASE(I32_REM_U) : {
    const uint32_t a = *--sp;
    if (top == 0) STOP(INTERPRETER_DIVIDE_BY_ZERO);
    top = pc[-1] == OP_I32_DIV_U ? a / top : a % top;
    NEXT;
  }
  BINARY_32(I32_AND, a & b)
  BINARY_32(I32_OR, a | b)
  BINARY_32(I32_XOR, a ^ b)
  BINARY_32(I32_SHL, a << (b & 31))
  BINARY_32(I32_SHR_S, (int32_t)a >> (b & 31)) /* arithmetic in every compiler that we know */
  BINARY_32(I32_SHR_U, a >> (b & 31))
  BINARY_32(I32_ROTL, a << (b & 31) | a >> (-b & 31))
  BINARY_32(I32_ROTR, a >> (b & 31) | a << (-b & 31))

  CASE(I64_CLZ) : {
    const uint32_t low = sp[-1];
    sp[-1] = top != 0 ? leading_zeros(top) : 32 + leading_zeros(low);
    top = 0;
    NEXT;
  }
  CASE(I64_CTZ) : {
    const uint32_t low = sp[-1];
    sp[-1] = low != 0 ? trailing_zeros(low) : 32 + trailing_zeros(top);
    top = 0;
    NEXT;
  }
  CASE(I64_POPCNT) : sp[-1] = population(sp[-1]) + population(top);
  top = 0;
  NEXT;
  BINARY_64(I64_ADD, a + b)
  BINARY_64(I64_SUB, a - b)
  BINARY_64(I64_MUL, a * b)
  CASE(I64_DIV_S) : CASE(I64_REM_S) : CASE(I64_DIV_U) : CASE(I64_REM_U) : {
    uint64_t a = SECOND64;
    uint64_t b = TOP64;
    const uint32_t opcode = pc[-1];
    const bool is_signed = opcode == OP_I64_DIV_S || opcode == OP_I64_REM_S;
    const bool is_remainder = opcode >= OP_I64_REM_S;
    const bool is_less = is_signed && (int64_t)a < 0;
    const bool is_by_less = is_signed && (int64_t)b < 0;
    sp -= 2;
    if (b == 0) STOP(INTERPRETER_DIVIDE_BY_ZERO);
    if (opcode == OP_I64_DIV_S && b == ~0ull && a == 1ull << 63) STOP(INTERPRETER_INT_OVERFLOW);
    if (is_less) a = 0 - a;
    if (is_by_less) b = 0 - b;
    const uint64_t found = is_remainder ? a % b : a / b;
    SET64(is_less != (is_by_less && !is_remainder) ? 0 - found : found);
    NEXT;
  }
  BINARY_64(I64_AND, a & b)
  BINARY_64(I64_OR, a | b)
  BINARY_64(I64_XOR, a ^ b)
  BINARY_64(I64_SHL, a << (b & 63))
  BINARY_64(I64_SHR_S, (uint64_t)((int64_t)a >> (b & 63)))
  BINARY_64(I64_SHR_U, a >> (b & 63))
  BINARY_64(I64_ROTL, a << (b & 63) | a >> (-b & 63))
  BINARY_64(I64_ROTR, a >> (b & 63) | a << (-b & 63))

  CASE(I32_WRAP_I64) : top = *--sp;
  NEXT;
  CASE(I64_EXTEND_I32_S) : PUSH((uint32_t)((int32_t)top < 0 ? -1 : 0));
  NEXT;
  CASE(I64_EXTEND_I32_U) : PUSH(0);
  NEXT;
  CASE(I32_EXTEND8_S) : top = (uint32_t)(int8_t)top;
  NEXT;
  CASE(I32_EXTEND16_S) : top = (uint32_t)(int16_t)top;
  NEXT;
  CASE(I64_EXTEND8_S) : SET64((uint64_t)(int8_t)sp[-1]);
  NEXT;
  CASE(I64_EXTEND16_S) : SET64((uint64_t)(int16_t)sp[-1]);
  NEXT;
  CASE(I64_EXTEND32_S) : SET64((uint64_t)(int32_t)sp[-1]);
  NEXT;

  RUN_END

stop:
  vm->gas = gas;
  vm->stopped_at = (uint16_t)(pc - module);
  results[0] = record->results == 2 ? sp[-1] : top;
  results[1] = top;
  return code;
}
