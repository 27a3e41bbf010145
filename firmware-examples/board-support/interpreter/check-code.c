/*
 * Proves one body: types and heights of operands, labels, and what every instruction refers to. On the way it writes what
 * the instructions need that branch.
 *
 * The room for work is used from both ends. Operands and labels stack from its end downwards, a halfword for an operand
 * and LABEL_HALFWORDS for a label, which lies under the operands of its block:
 *
 *     globals | the body's table so far ─▶       ◀─ operands | label | operands | label of the body
 *
 * A branch ahead is not known yet: its places are a chain through the table, which ends in NO_PLACE, until the block ends.
 */
#include "binary-format.h"
#include "checker.h"
#include "opcodes.h"

/* Of a label, from its place on. */
enum {
  OUTER,   /* place of the label around it */
  OPENER,  /* the instruction that opened it; NOP for the body */
  RESULT,  /* words of its result */
  HEIGHT,  /* words of operands below it */
  DEAD,    /* nothing reaches this point */
  TARGET,  /* of a loop its position; else the last place that branches to the end */
  TARGET2, /* of a loop its place in the tables; of an if the place of its own branch, until there is an else */
  LABEL_HALFWORDS
};

enum { ANY = 0, I32 = 1, I64 = 2, WORDS_MAX = 1023, LOCAL_WORDS_MAX = 128, INDEX_HALFWORDS_MAX = 65535 };
#define NO_PLACE 0xffffu

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

static bool has_failed(const checker *c) {
  return c->error.code != INTERPRETER_OK;
}

/** Room for so many halfwords between both ends. */
static bool has_room(checker *c, uint32_t halfwords) {
  if (c->top - c->filled >= halfwords) return true;
  check_fail(c, INTERPRETER_WORK_TOO_SMALL);
  return false;
}

static void push(checker *c, uint32_t type) {
  if (!has_room(c, 1)) return;
  c->work[--c->top] = (uint16_t)type;
  c->words += type == I64 ? 2 : 1;
  if (c->words > c->words_most) c->words_most = c->words;
}

/** Take an operand. @param wanted  ANY for whatever there is. @returns its type, ANY where nothing reaches this point */
static uint32_t pop(checker *c, uint32_t wanted) {
  if (c->top == c->label) {
    if (c->work[c->label + DEAD] == 0) check_fail(c, INTERPRETER_TYPE_MISMATCH);
    return wanted;
  }
  const uint32_t type = c->work[c->top++];
  c->words -= type == I64 ? 2 : 1;
  if (type != wanted && type != ANY && wanted != ANY) check_fail(c, INTERPRETER_TYPE_MISMATCH);
  return type == ANY ? wanted : type;
}

static void push_if(checker *c, uint32_t type) {
  if (type != ANY) push(c, type);
}

static void pop_if(checker *c, uint32_t type) {
  if (type != ANY) pop(c, type);
}

static void emit(checker *c, uint32_t halfword) {
  if (has_room(c, 1)) c->work[c->filled++] = (uint16_t)halfword;
}

/** Where the next halfword will be, in the tables. */
static uint32_t table_place(const checker *c) {
  return c->table + c->filled - c->globals;
}

static void open_label(checker *c, uint32_t opener, uint32_t result) {
  if (!has_room(c, LABEL_HALFWORDS)) return;
  c->top -= LABEL_HALFWORDS;
  uint16_t *label = c->work + c->top;
  const bool is_loop = opener == OP_LOOP;
  label[OUTER] = (uint16_t)c->label;
  label[OPENER] = (uint16_t)opener;
  label[RESULT] = (uint16_t)result;
  label[HEIGHT] = (uint16_t)c->words;
  label[DEAD] = 0;
  label[TARGET] = (uint16_t)(is_loop ? c->at : NO_PLACE);
  label[TARGET2] = (uint16_t)(is_loop ? table_place(c) : NO_PLACE);
  c->label = c->top;
}

/** What follows is never reached, up to the end of the block. */
static void die(checker *c) {
  c->top = c->label;
  c->words = c->work[c->label + HEIGHT];
  c->work[c->label + DEAD] = 1;
}

/** The label that an instruction names. */
static uint16_t *named_label(checker *c) {
  uint32_t label = c->label;
  for (uint32_t depth = check_small(c); depth > 0; depth--) {
    label = c->work[label + OUTER];
    if (label == NO_PLACE) {
      check_fail(c, INTERPRETER_BAD_INDEX);
      return c->work + c->label;
    }
  }
  return c->work + label;
}

static uint32_t label_type(const uint16_t *label) {
  return label[OPENER] == OP_LOOP ? ANY : label[RESULT];
}

/** Write a branch to a label; its operands are off the stack. */
static void emit_branch(checker *c, uint16_t *label) {
  const uint32_t place = c->filled;
  if (!has_room(c, TARGET_HALFWORDS)) return;
  c->filled += TARGET_HALFWORDS;
  uint16_t *entry = c->work + place;
  entry[0] = label[TARGET];
  entry[1] = label[TARGET2];
  /* A return takes its result from the top, whatever is below. In code that is never reached there may be too little. */
  const uint32_t drop = label[OPENER] == OP_NOP || c->words < label[HEIGHT] ? 0 : c->words - label[HEIGHT];
  entry[2] = (uint16_t)(label_type(label) | drop << 2);
  if (label[OPENER] != OP_LOOP) label[TARGET] = (uint16_t)place;
}

/** Let a chain of branches lead to a position; the tables go on where they are now. */
static void lead(checker *c, uint32_t place, uint32_t to) {
  const uint32_t table = table_place(c);
  while (place != NO_PLACE) {
    uint16_t *entry = c->work + place;
    place = entry[0];
    entry[0] = (uint16_t)to;
    entry[1] = (uint16_t)table;
  }
}

/** The branch of an if without its condition, to what is not known yet. */
static void emit_if(checker *c) {
  uint16_t *label = c->work + c->label;
  label[TARGET2] = (uint16_t)c->filled;
  emit(c, NO_PLACE);
  emit(c, NO_PLACE);
  emit(c, 0);
}

/** The block's result is on the stack, and nothing else. */
static void close_block(checker *c) {
  pop_if(c, c->work[c->label + RESULT]);
  if (c->top != c->label) check_fail(c, INTERPRETER_TYPE_MISMATCH);
}

static void check_else(checker *c) {
  uint16_t *label = c->work + c->label;
  if (label[OPENER] != OP_IF) {
    check_fail(c, INTERPRETER_BAD_NESTING);
    return;
  }
  close_block(c);
  emit_branch(c, label);
  /* From here on it is a block like any other; its own branch goes to behind this. */
  const uint32_t own = label[TARGET2];
  if (!has_failed(c)) lead(c, own, c->at);
  label[OPENER] = OP_ELSE;
  label[TARGET2] = NO_PLACE;
  label[DEAD] = 0;
}

/** @returns whether the body has ended */
static bool check_end(checker *c) {
  uint16_t *label = c->work + c->label;
  const uint32_t result = label[RESULT];
  close_block(c);
  if (label[OPENER] == OP_IF) {
    if (result != ANY) check_fail(c, INTERPRETER_TYPE_MISMATCH);
  }
  if (has_failed(c)) return true;
  const bool is_body = label[OPENER] == OP_NOP;
  const uint32_t behind = c->at;
  if (label[OPENER] != OP_LOOP) {
    lead(c, label[TARGET], is_body ? behind - 1 : behind);
    lead(c, label[TARGET2], behind);
  }
  if (is_body) return true;
  c->top += LABEL_HALFWORDS;
  c->label = label[OUTER];
  push_if(c, result);
  return false;
}

static void check_block(checker *c, uint32_t opcode) {
  uint32_t result = ANY;
  if (opcode == OP_IF) pop(c, I32);
  if (c->at < c->end && c->given->module[c->at] == 0x40) check_byte(c);
  else result = check_value_type(c);
  open_label(c, opcode, result);
  if (opcode == OP_IF && !has_failed(c)) emit_if(c);
}

static void check_branch_if(checker *c) {
  pop(c, I32);
  uint16_t *label = named_label(c);
  const uint32_t type = label_type(label);
  pop_if(c, type);
  emit_branch(c, label);
  push_if(c, type);
}

static void check_branch(checker *c) {
  uint16_t *label = named_label(c);
  pop_if(c, label_type(label));
  emit_branch(c, label);
  die(c);
}

static void check_branch_table(checker *c) {
  pop(c, I32);
  const uint32_t count = check_u32(c);
  uint32_t operand = ANY;
  bool has_operand = false;
  for (uint32_t i = 0; i <= count && !has_failed(c); i++) {
    uint16_t *label = named_label(c);
    const uint32_t type = label_type(label);
    if (i == 0) {
      has_operand = type != ANY;
      if (has_operand) operand = pop(c, c->top == c->label ? ANY : type);
    }
    const bool is_same = operand == ANY || type == operand;
    if ((type != ANY) != has_operand || !is_same) check_fail(c, INTERPRETER_TYPE_MISMATCH);
    emit_branch(c, label);
  }
  die(c);
}

static void check_call(checker *c) {
  const uint32_t number = check_u32(c);
  if (number >= c->header.functions) {
    check_fail(c, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint8_t *types = check_signature(c, number);
  const uint32_t params = *types++;
  for (uint32_t i = params; i > 0; i--) pop(c, types[i - 1] == 0x7f ? I32 : I64);
  types += params;
  if (types[0] == 1) push(c, types[1] == 0x7f ? I32 : I64);
}

/** A value goes, or one of two: of which the type is nowhere said. */
static void check_parametric(checker *c, bool is_select) {
  if (is_select) pop(c, I32);
  uint32_t type = pop(c, ANY);
  if (is_select) {
    const uint32_t other = pop(c, type);
    if (type == ANY) type = other;
  }
  emit(c, type == I64 ? 2 : 1);
  if (is_select) push(c, type);
}

static void check_local(checker *c, uint32_t opcode) {
  const uint32_t number = check_small(c);
  if (number >= c->locals) {
    check_fail(c, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint32_t places = c->work[c->globals + number / 2];
  const uint32_t type = (number % 2 == 0 ? places & WIDE : places >> 8 & WIDE) != 0 ? (uint32_t)I64 : (uint32_t)I32;
  if (opcode != OP_LOCAL_GET) pop(c, type);
  if (opcode != OP_LOCAL_SET) push(c, type);
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
    push(c, type);
    return;
  }
  if ((global & GLOBAL_MUTABLE) == 0) check_fail(c, INTERPRETER_IMMUTABLE);
  pop(c, type);
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
    case OP_UNREACHABLE: die(c); break;
    case OP_NOP: break;
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF: check_block(c, opcode); break;
    case OP_ELSE: check_else(c); break;
    case OP_END: return check_end(c);
    case OP_BR: check_branch(c); break;
    case OP_BR_IF: check_branch_if(c); break;
    case OP_BR_TABLE: check_branch_table(c); break;
    case OP_RETURN:
      pop_if(c, c->work[c->work_end - LABEL_HALFWORDS + RESULT]);
      die(c);
      break;
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
      push(c, I32);
      break;
    default: /* OP_I64_CONST */
      check_signed(c, 64);
      push(c, I64);
      break;
  }
  return false;
}

/** @returns whether the body has ended, or has failed */
static bool check_instruction(checker *c) {
  const uint32_t opcode = check_byte(c);
  const uint32_t rule = rule_of(opcode);
  if (has_failed(c)) return true;
  if (rule == 0) {
    c->at--;
    check_fail(c, refusal(opcode));
    return true;
  }
  if ((rule & SPECIAL) != 0) return check_special(c, opcode) || has_failed(c);
  if (opcode <= OP_I64_STORE32) check_access(c, opcode);
  pop_if(c, rule >> 2 & 3);
  pop(c, rule & 3);
  push_if(c, rule >> 4);
  return has_failed(c);
}

/** Lay a local out: its byte goes to the begin of the table. @returns words of all locals up to and with it */
static uint32_t add_local(checker *c, uint32_t words, uint32_t type) {
  const uint32_t place = type == I64 ? words | WIDE : words;
  if (c->locals == LOCALS_MAX || words + type > LOCAL_WORDS_MAX) {
    check_fail(c, INTERPRETER_TOO_MANY_LOCALS);
    return words;
  }
  if (c->locals++ % 2 == 0) emit(c, place);
  else if (!has_failed(c)) c->work[c->filled - 1] = (uint16_t)(c->work[c->filled - 1] | place << 8);
  return words + type;
}

static uint32_t check_locals(checker *c, const uint8_t *types, uint32_t *params) {
  uint32_t words = 0;
  for (uint32_t i = *types++; i > 0; i--) words = add_local(c, words, *types++ == 0x7f ? I32 : I64);
  *params = words;
  for (uint32_t groups = check_u32(c); groups > 0 && !has_failed(c); groups--) {
    uint32_t count = check_u32(c);
    const uint32_t type = check_value_type(c);
    while (count-- > 0 && !has_failed(c)) words = add_local(c, words, type);
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
  open_label(c, OP_NOP, record.results);
  if (has_failed(c)) return;
  bool has_ended = false;
  while (!has_ended) has_ended = check_instruction(c);
  if (c->at != c->end) check_fail(c, INTERPRETER_BAD_NESTING);
  if (c->words_most > WORDS_MAX) check_fail(c, INTERPRETER_TOO_DEEP);
  record.end = (uint16_t)(c->at - 1);
  record.need = (uint16_t)(words + 1 + c->words_most + FRAME_WORDS);
  while ((c->filled - c->globals) % 4 != 0 && !has_failed(c)) emit(c, 0);
  const uint32_t halfwords = c->filled - c->globals;
  if (c->table + halfwords > INDEX_HALFWORDS_MAX) check_fail(c, INTERPRETER_INDEX_TOO_LARGE);
  check_put(c, c->header.tables + 2 * c->table, c->work + c->globals, 2 * halfwords);
  check_put(c, c->header.records + number * (uint32_t)sizeof record, &record, sizeof record);
  c->table += halfwords;
}
