/* Proves one body: what every instruction takes, gives and refers to. On the way its part of the index is written. */
#include "binary-format.h"
#include "check-labels.h"
#include "opcodes.h"

enum { WORDS_MAX = 1023, LOCAL_WORDS_MAX = 128, INDEX_HALFWORDS_MAX = 65535 };

/**
 * Rules of runs of opcodes: the first of a run, and its rule, up to the next one's first. A rule says what an instruction
 * takes and gives: the first operand in bits 0 and 1, the second in bits 2 and 3, the result in bits 4 and 5; 0 is none.
 * SPECIAL: it depends on what follows the opcode. NONE: there is no such instruction.
 */
#define TAKES(first, second, result) ((first) | (second) << 2 | (result) << 4)
#define SPECIAL 0x80u
#define NONE 0
static const uint8_t RULES[] = {
  OP_UNREACHABLE, SPECIAL, OP_ELSE + 1, NONE, OP_END, SPECIAL, OP_CALL + 1, NONE, OP_DROP, SPECIAL, OP_SELECT + 1, NONE,
  OP_LOCAL_GET, SPECIAL, OP_GLOBAL_SET + 1, NONE,
  OP_I32_LOAD, TAKES(I32, 0, I32), OP_I64_LOAD, TAKES(I32, 0, I64), OP_I64_LOAD + 1, NONE,
  OP_I32_LOAD8_S, TAKES(I32, 0, I32), OP_I64_LOAD8_S, TAKES(I32, 0, I64),
  OP_I32_STORE, TAKES(I32, I32, 0), OP_I64_STORE, TAKES(I32, I64, 0), OP_I64_STORE + 1, NONE,
  OP_I32_STORE8, TAKES(I32, I32, 0), OP_I64_STORE8, TAKES(I32, I64, 0), OP_I64_STORE32 + 1, NONE,
  OP_I32_CONST, SPECIAL, OP_I64_CONST + 1, NONE,
  OP_I32_EQZ, TAKES(I32, 0, I32), OP_I32_EQ, TAKES(I32, I32, I32),
  OP_I64_EQZ, TAKES(I64, 0, I32), OP_I64_EQ, TAKES(I64, I64, I32), OP_I64_GE_U + 1, NONE,
  OP_I32_CLZ, TAKES(I32, 0, I32), OP_I32_ADD, TAKES(I32, I32, I32),
  OP_I64_CLZ, TAKES(I64, 0, I64), OP_I64_ADD, TAKES(I64, I64, I64), OP_I64_ROTR + 1, NONE,
  OP_I32_WRAP_I64, TAKES(I64, 0, I32), OP_I32_WRAP_I64 + 1, NONE,
  OP_I64_EXTEND_I32_S, TAKES(I32, 0, I64), OP_I64_EXTEND_I32_U + 1, NONE,
  OP_I32_EXTEND8_S, TAKES(I32, 0, I32), OP_I64_EXTEND8_S, TAKES(I64, 0, I64), OP_I64_EXTEND32_S + 1, NONE};

static uint32_t rule_of(uint32_t opcode) {
  uint32_t run = sizeof RULES - 2;
  while (RULES[run] > opcode) run -= 2;
  return RULES[run + 1];
}

static void check_call(checker *c) {
  const uint32_t number = check_u32(c);
  if (number >= c->header.functions) {
    check_fail(c, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint8_t *types = check_signature(c, number);
  const uint32_t params = *types++;
  for (uint32_t i = params; i > 0; i--) operand_pop(c, types[i - 1] == 0x7f ? I32 : I64);
  types += params;
  if (types[0] == 1) operand_push(c, types[1] == 0x7f ? I32 : I64);
}

/** A value goes, or one of two: of which the type is nowhere said. */
static void check_parametric(checker *c, bool is_select) {
  if (is_select) operand_pop(c, I32);
  uint32_t type = operand_pop(c, ANY);
  if (is_select) {
    const uint32_t other = operand_pop(c, type);
    if (type == ANY) type = other;
  }
  table_emit(c, type == I64 ? 2 : 1);
  if (is_select) operand_push(c, type);
}

static void check_local(checker *c, uint32_t opcode) {
  const uint32_t number = check_small(c);
  if (number >= c->locals) {
    check_fail(c, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint32_t places = c->work[c->globals + number / 2];
  const uint32_t type = (number % 2 == 0 ? places & WIDE : places >> 8 & WIDE) != 0 ? (uint32_t)I64 : (uint32_t)I32;
  if (opcode != OP_LOCAL_GET) operand_pop(c, type);
  if (opcode != OP_LOCAL_SET) operand_push(c, type);
}

static void check_global(checker *c, uint32_t opcode) {
  const uint32_t number = check_small(c);
  if (number >= c->globals) {
    check_fail(c, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint32_t global = c->work[number];
  const uint32_t type = (global & WIDE) != 0 ? I64 : I32;
  if (opcode == OP_GLOBAL_GET) {
    operand_push(c, type);
    return;
  }
  if ((global & GLOBAL_MUTABLE) == 0) check_fail(c, INTERPRETER_IMMUTABLE);
  operand_pop(c, type);
}

/** How an access is aligned, and its offset. */
static void check_access(checker *c, uint32_t opcode) {
  const uint32_t alignment = check_small(c);
  if (alignment > ACCESS_WIDTHS[opcode - OP_I32_LOAD]) {
    check_fail(c, alignment < 32 ? INTERPRETER_BAD_ALIGNMENT : INTERPRETER_MEMORY_KIND);
  }
  check_u32(c);
  if (c->header.pages == 0) check_fail(c, INTERPRETER_BAD_INDEX);
}

/** By what name an instruction is refused that is not among the known ones. */
static interpreter_code refusal(uint32_t opcode) {
  if (opcode == 0x11) return INTERPRETER_HAS_CALL_INDIRECT;
  if (opcode == 0x3f) return INTERPRETER_HAS_MEMORY_SIZE;
  if (opcode == 0x40) return INTERPRETER_HAS_MEMORY_GROW;
  if (opcode == 0xfd) return INTERPRETER_HAS_SIMD;
  return opcode >= 0x2a && opcode <= 0xbf ? INTERPRETER_HAS_FLOAT : INTERPRETER_UNKNOWN_OPCODE;
}

/** An instruction with a rule of its own. @returns whether the body has ended */
static bool check_special(checker *c, uint32_t opcode) {
  switch (opcode) {
    case OP_UNREACHABLE: label_die(c); break;
    case OP_NOP: break;
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF: label_block(c, opcode); break;
    case OP_ELSE: label_else(c); break;
    case OP_END: return label_end(c);
    case OP_BR: branch_always(c); break;
    case OP_BR_IF: branch_if(c); break;
    case OP_BR_TABLE: branch_table(c); break;
    case OP_RETURN: branch_return(c); break;
    case OP_CALL: check_call(c); break;
    case OP_DROP:
    case OP_SELECT: check_parametric(c, opcode == OP_SELECT); break;
    case OP_LOCAL_GET:
    case OP_LOCAL_SET:
    case OP_LOCAL_TEE: check_local(c, opcode); break;
    case OP_GLOBAL_GET:
    case OP_GLOBAL_SET: check_global(c, opcode); break;
    case OP_I32_CONST:
      check_signed(c, 32);
      operand_push(c, I32);
      break;
    default: /* OP_I64_CONST */
      check_signed(c, 64);
      operand_push(c, I64);
      break;
  }
  return false;
}

/** @returns whether the body has ended, or has failed */
static bool check_instruction(checker *c) {
  const uint32_t opcode = check_byte(c);
  const uint32_t rule = rule_of(opcode);
  if (check_has_failed(c)) return true;
  if (rule == 0) {
    c->at--;
    check_fail(c, refusal(opcode));
    return true;
  }
  if ((rule & SPECIAL) != 0) return check_special(c, opcode) || check_has_failed(c);
  if (opcode <= OP_I64_STORE32) check_access(c, opcode);
  operand_pop_if(c, rule >> 2 & 3);
  operand_pop(c, rule & 3);
  operand_push_if(c, rule >> 4);
  return check_has_failed(c);
}

/** Lay a local out: its byte goes to the begin of the table. @returns words of all locals up to and with it */
static uint32_t add_local(checker *c, uint32_t words, uint32_t type) {
  const uint32_t place = type == I64 ? words | WIDE : words;
  if (c->locals == LOCALS_MAX || words + type > LOCAL_WORDS_MAX) {
    check_fail(c, INTERPRETER_TOO_MANY_LOCALS);
    return words;
  }
  if (c->locals++ % 2 == 0) table_emit(c, place);
  else if (!check_has_failed(c)) c->work[c->filled - 1] = (uint16_t)(c->work[c->filled - 1] | place << 8);
  return words + type;
}

static uint32_t check_locals(checker *c, const uint8_t *types, uint32_t *params) {
  uint32_t words = 0;
  for (uint32_t i = *types++; i > 0; i--) words = add_local(c, words, *types++ == 0x7f ? I32 : I64);
  *params = words;
  for (uint32_t groups = check_u32(c); groups > 0 && !check_has_failed(c); groups--) {
    uint32_t count = check_u32(c);
    const uint32_t type = check_value_type(c);
    while (count-- > 0 && !check_has_failed(c)) words = add_local(c, words, type);
  }
  return words;
}

void check_body(checker *c, uint32_t number) {
  const uint8_t *types = check_signature(c, number);
  uint32_t params;
  index_record record = {.locals = (uint16_t)c->table};
  c->filled = c->globals;
  c->top = c->work_end;
  c->label = NO_PLACE;
  c->words = 0;
  c->words_most = 0;
  c->locals = 0;
  const uint32_t words = check_locals(c, types, &params);
  const uint8_t *results = types + 1 + types[0];
  record.params = (uint8_t)params;
  record.zeroed = (uint16_t)(words - params);
  if (results[0] == 1) record.results = results[1] == 0x7f ? I32 : I64;
  record.table = (uint16_t)table_place(c);
  record.code = (uint16_t)c->at;
  label_open(c, OP_NOP, record.results);
  if (check_has_failed(c)) return;
  bool has_ended = false;
  while (!has_ended) has_ended = check_instruction(c);
  if (c->at != c->end) check_fail(c, INTERPRETER_BAD_NESTING);
  if (c->words_most > WORDS_MAX) check_fail(c, INTERPRETER_TOO_DEEP);
  record.end = (uint16_t)(c->at - 1);
  record.need = (uint16_t)(words + 1 + c->words_most + FRAME_WORDS);
  while ((c->filled - c->globals) % 4 != 0 && !check_has_failed(c)) table_emit(c, 0);
  const uint32_t halfwords = c->filled - c->globals;
  if (c->table + halfwords > INDEX_HALFWORDS_MAX) check_fail(c, INTERPRETER_INDEX_TOO_LARGE);
  check_put(c, c->header.tables + 2 * c->table, c->work + c->globals, 2 * halfwords);
  check_put(c, c->header.records + number * (uint32_t)sizeof record, &record, sizeof record);
  c->table += halfwords;
}
