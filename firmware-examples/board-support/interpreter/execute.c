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

#include "binary-format.h"
#include "execute-macros.h"
#include "interpreter.h"
#include "module-index.h"
#include "opcodes.h"
#include "wide.h"

interpreter_code interpreter_call(interpreter *vm, uint32_t function, const uint32_t *args, uint32_t *results,
                                  uint32_t gas) {
  const index_header *header = vm->index;
  const uint8_t *const index_bytes = vm->index;
  const index_record *const records = (const index_record *)(const void *)(index_bytes + header->records);
  const uint16_t *const tables = (const uint16_t *)(const void *)(index_bytes + header->tables);
  const uint8_t *const module = vm->module;
  uint8_t *const memory = vm->memory;
  const uint32_t memory_bytes = vm->memory_bytes;
  const index_record *record = records + function;
  uint32_t *sp = vm->stack + header->global_words;
  uint32_t *const frames_end = vm->stack + vm->stack_words;
  uint32_t *frame = frames_end;
  uint32_t *locals = sp;
  uint32_t top = 0;
  uint32_t opcode;
  const uint8_t *pc = module;
  const uint8_t *end = module;
  const uint16_t *table = tables;
  const uint8_t *places = NULL;
  interpreter_code code = INTERPRETER_OK;
  uint32_t value = 0; /* on its way to or from the memory */
  uint32_t high = 0;
  uint32_t place; /* a local's byte of the index */

  if (function >= header->functions) return INTERPRETER_BAD_INDEX;
  if ((uint32_t)(frame - sp) < record->need) STOP(INTERPRETER_STACK_EXHAUSTED);
  for (uint32_t i = 0; i < record->params; i++) *sp++ = args[i];
  goto enter;

next:
  opcode = *pc++;
  FORGET(pc);
  switch (opcode) {
  case OP_UNREACHABLE: STOP(INTERPRETER_UNREACHABLE);
  /* Not a case without code: it would lead back to the switch, and gcc has small tables for jumps ahead alone. */
  case OP_NOP: case OP_BLOCK: case OP_LOOP:
    if (opcode != OP_NOP) pc++;
    NEXT;

  case OP_IF: {
    const uint32_t condition = top;
    top = *--sp;
    if (condition == 0) goto branch;
    pc++;
    table += TARGET_HALFWORDS;
    NEXT;
  }
  case OP_BR_IF: {
    const uint32_t condition = top;
    top = *--sp;
    if (condition != 0) goto branch;
    pc++;
    table += TARGET_HALFWORDS;
    NEXT;
  }
  case OP_BR_TABLE: {
    const uint32_t wanted = top;
    const uint8_t *number = pc;
    const uint32_t count = leb_u32(&number);
    top = *--sp;
    table += TARGET_HALFWORDS * (wanted < count ? wanted : count);
    goto branch;
  }
  case OP_ELSE: case OP_BR: branch : {
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
  case OP_END: if (pc <= end) NEXT;
  goto leave;
  case OP_RETURN: leave : {
    if (frame == frames_end) goto stop;
    const uint32_t words = record->results;
    if (words == 2) *locals = sp[-1];
    sp = locals + words - 1;
    if (words == 0) top = *sp;
    pc = module + (frame[0] & 0xffffu);
    table = tables + (frame[0] >> 16);
    locals = vm->stack + (frame[1] & 0xffffu);
    record = records + (frame[1] >> 16);
    frame += FRAME_WORDS;
    end = module + record->end;
    places = (const uint8_t *)(tables + record->locals);
    NEXT;
  }
  case OP_CALL: {
    uint32_t number = *pc++;
    if (number >= 0x80u) {
      const uint8_t *at = pc - 1;
      number = leb_u32(&at);
      pc = at;
    }
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
    places = (const uint8_t *)(tables + record->locals);
    if (gas < length) STOP(INTERPRETER_GAS_EXHAUSTED);
    gas -= length;
    NEXT;
  }

  case OP_DROP:
    sp -= *table++;
    top = *sp;
    NEXT;
  case OP_SELECT: {
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
  case OP_LOCAL_GET:
    place = places[*pc++];
    if (UNLIKELY(place >= WIDE)) goto wide_get;
    PUSH(locals[place]);
    NEXT;
  case OP_LOCAL_SET:
    place = places[*pc++];
    if (UNLIKELY(place >= WIDE)) goto wide_set;
    locals[place] = top;
    top = *--sp;
    NEXT;
  case OP_LOCAL_TEE:
    place = places[*pc++];
    if (UNLIKELY(place >= WIDE)) goto wide_tee;
    locals[place] = top;
    NEXT;
  wide_get: {
    const uint32_t *local = locals + (place - WIDE);
    *sp++ = top;
    *sp++ = local[0];
    top = local[1];
    NEXT;
  }
  wide_set: {
    uint32_t *local = locals + (place - WIDE);
    local[1] = top;
    local[0] = sp[-1];
    sp -= 2;
    top = *sp;
    NEXT;
  }
  wide_tee: {
    uint32_t *local = locals + (place - WIDE);
    local[1] = top;
    local[0] = sp[-1];
    NEXT;
  }
  case OP_GLOBAL_GET: {
    place = index_bytes[INDEX_GLOBALS + *pc++];
    const uint32_t *global = vm->stack + (place & ~WIDE);
    PUSH(global[0]);
    if (place >= WIDE) PUSH(global[1]);
    NEXT;
  }
  case OP_GLOBAL_SET: {
    place = index_bytes[INDEX_GLOBALS + *pc++];
    uint32_t *global = vm->stack + (place & ~WIDE);
    if (place >= WIDE) {
      global[1] = top;
      top = *--sp;
    }
    global[0] = top;
    top = *--sp;
    NEXT;
  }

  case OP_I32_STORE: case OP_I32_STORE8: case OP_I32_STORE16:
    value = top;
    top = *--sp;
    goto access;
  case OP_I64_STORE: case OP_I64_STORE8: case OP_I64_STORE16: case OP_I64_STORE32:
    value = sp[-1];
    high = top;
    sp -= 2;
    top = *sp;
    goto access;
  case OP_I32_LOAD: case OP_I32_LOAD8_S: case OP_I32_LOAD8_U: case OP_I32_LOAD16_S: case OP_I32_LOAD16_U:
  case OP_I64_LOAD: case OP_I64_LOAD8_S: case OP_I64_LOAD8_U: case OP_I64_LOAD16_S: case OP_I64_LOAD16_U:
  case OP_I64_LOAD32_S: case OP_I64_LOAD32_U:
  access: {
    const uint32_t bytes = 1u << ACCESS_WIDTHS[opcode - OP_I32_LOAD];
    uint32_t offset = pc[1];
    pc += 2; /* over the alignment */
    if (offset >= 0x80u) {
      const uint8_t *number = pc - 1;
      offset = leb_u32(&number);
      pc = number;
    }
    const uint32_t address = top + offset;
    if (address < offset || address > memory_bytes - bytes) STOP(INTERPRETER_OUT_OF_BOUNDS);
    uint8_t *const target = memory + address;
    if (opcode >= OP_I32_STORE) {
      top = *--sp;
      switch (bytes) {
        case 1: *target = (uint8_t)value; NEXT;
        case 2: memcpy(target, &value, 2); NEXT;
        case 8: memcpy(target + 4, &high, 4); /* fall through */
        default: memcpy(target, &value, 4); NEXT;
      }
    }
    switch (opcode) {
      case OP_I32_LOAD: case OP_I64_LOAD: case OP_I64_LOAD32_S: case OP_I64_LOAD32_U: memcpy(&value, target, 4); break;
      case OP_I32_LOAD8_U: case OP_I64_LOAD8_U: value = *target; break;
      case OP_I32_LOAD8_S: case OP_I64_LOAD8_S: value = (uint32_t)(int8_t)*target; break;
      default: {
        uint16_t half;
        memcpy(&half, target, 2);
        value = half;
        /* Those that extend a sign have even numbers. */
        if ((opcode & 1u) == 0) value = (uint32_t)(int16_t)half;
        break;
      }
    }
    if (opcode < OP_I32_LOAD8_S || opcode > OP_I32_LOAD16_U) {
      if (opcode == OP_I32_LOAD) {
        top = value;
        NEXT;
      }
      *sp++ = value;
      top = (opcode & 1u) == 0 ? 0u - (value >> 31) : 0;
      if (opcode == OP_I64_LOAD) memcpy(&top, target + 4, 4);
      NEXT;
    }
    top = value;
    NEXT;
  }

  case OP_I32_CONST: {
    const uint32_t byte = *pc;
    *sp++ = top;
    if (byte < 0x80u) {
      pc++;
      top = (byte ^ 0x40u) - 0x40u;
      NEXT;
    }
    const uint8_t *number = pc;
    top = (uint32_t)leb_s64(&number);
    pc = number;
    NEXT;
  }
  case OP_I64_CONST: {
    const uint8_t *number = pc;
    const uint64_t constant = leb_s64(&number);
    pc = number;
    PUSH((uint32_t)constant);
    PUSH((uint32_t)(constant >> 32));
    NEXT;
  }

  case OP_I32_EQZ: top = top == 0; NEXT;
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
  case OP_I64_EQZ: top = (top | *--sp) == 0; NEXT;
  case OP_I64_EQ: case OP_I64_NE: case OP_I64_LT_S: case OP_I64_LT_U: case OP_I64_GT_S: case OP_I64_GT_U:
  case OP_I64_LE_S: case OP_I64_LE_U: case OP_I64_GE_S: case OP_I64_GE_U:
    *sp = top;
    sp -= 3;
    wide_instruction(opcode, sp);
    top = *sp;
    NEXT;

  case OP_I32_CLZ: top = leading_zeros(top); NEXT;
  case OP_I32_CTZ: top = trailing_zeros(top); NEXT;
  case OP_I32_POPCNT: top = population(top); NEXT;
  BINARY_32(I32_ADD, a + b)
  BINARY_32(I32_SUB, a - b)
  BINARY_32(I32_MUL, a * b)
  case OP_I32_DIV_S: case OP_I32_REM_S: {
    const uint32_t a = *--sp;
    const uint32_t b = top;
    const bool is_division = opcode == OP_I32_DIV_S;
    if (b == 0) STOP(INTERPRETER_DIVIDE_BY_ZERO);
    if (b == ~0u) {
      if (is_division && a == 0x80000000u) STOP(INTERPRETER_INT_OVERFLOW);
      top = is_division ? 0u - a : 0;
      NEXT;
    }
    top = (uint32_t)(is_division ? (int32_t)a / (int32_t)b : (int32_t)a % (int32_t)b);
    NEXT;
  }
  case OP_I32_DIV_U: case OP_I32_REM_U: {
    const uint32_t a = *--sp;
    if (top == 0) STOP(INTERPRETER_DIVIDE_BY_ZERO);
    top = opcode == OP_I32_DIV_U ? a / top : a % top;
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

  case OP_I64_CLZ: case OP_I64_CTZ: case OP_I64_POPCNT: case OP_I64_EXTEND8_S: case OP_I64_EXTEND16_S:
  case OP_I64_EXTEND32_S:
    *sp = top;
    wide_instruction(opcode, sp - 1);
    top = *sp;
    NEXT;
  BINARY_64(I64_ADD, a + b)
  BINARY_64(I64_SUB, a - b)
  BINARY_64(I64_MUL, a * b)
  case OP_I64_DIV_S: case OP_I64_DIV_U: case OP_I64_REM_S: case OP_I64_REM_U: case OP_I64_SHL: case OP_I64_SHR_S:
  case OP_I64_SHR_U: case OP_I64_ROTL: case OP_I64_ROTR:
    *sp = top;
    sp -= 2;
    code = wide_instruction(opcode, sp - 1);
    if (code != INTERPRETER_OK) goto stop;
    top = *sp;
    NEXT;
  BINARY_64(I64_AND, a & b)
  BINARY_64(I64_OR, a | b)
  BINARY_64(I64_XOR, a ^ b)
  case OP_I32_WRAP_I64: top = *--sp; NEXT;
  case OP_I64_EXTEND_I32_S: PUSH((uint32_t)((int32_t)top < 0 ? -1 : 0)); NEXT;
  case OP_I64_EXTEND_I32_U: PUSH(0); NEXT;
  case OP_I32_EXTEND8_S: top = (uint32_t)(int8_t)top; NEXT;
  case OP_I32_EXTEND16_S: top = (uint32_t)(int16_t)top; NEXT;
  default: NO_OTHER;
  }

stop:
  vm->gas = gas;
  vm->stopped_at = (uint16_t)(pc - module);
  results[0] = record->results == 2 ? sp[-1] : top;
  results[1] = top;
  return code;
}
