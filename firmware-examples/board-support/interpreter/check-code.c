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

typedef struct {
  checker *c;
  uint16_t *work;
  uint32_t table;  /* where this body's table begins in `work` */
  uint32_t filled; /* one past what is written of it */
  uint32_t top;    /* of operands and labels */
  uint32_t label;  /* the innermost */
  uint32_t words;  /* of operands */
  uint32_t words_most;
  uint32_t locals;
  uint8_t map[LOCALS_MAX]; /* a byte for each local, as in the index */
} body;

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

static void fail(body *b, interpreter_code code) {
  check_fail(b->c, code);
}

static bool has_failed(const body *b) {
  return b->c->error.code != INTERPRETER_OK;
}

/** Room for so many halfwords between both ends. */
static bool has_room(body *b, uint32_t halfwords) {
  if (b->top - b->filled >= halfwords) return true;
  fail(b, INTERPRETER_WORK_TOO_SMALL);
  return false;
}

static void push(body *b, uint32_t type) {
  if (!has_room(b, 1)) return;
  b->work[--b->top] = (uint16_t)type;
  b->words += type == I64 ? 2 : 1;
  if (b->words > b->words_most) b->words_most = b->words;
}

/** Take an operand. @param wanted  ANY for whatever there is. @returns its type, ANY where nothing reaches this point */
static uint32_t pop(body *b, uint32_t wanted) {
  if (b->top == b->label) {
    if (b->work[b->label + DEAD] == 0) fail(b, INTERPRETER_TYPE_MISMATCH);
    return wanted;
  }
  const uint32_t type = b->work[b->top++];
  b->words -= type == I64 ? 2 : 1;
  if (type != wanted && type != ANY && wanted != ANY) fail(b, INTERPRETER_TYPE_MISMATCH);
  return type == ANY ? wanted : type;
}

static void push_if(body *b, uint32_t type) {
  if (type != ANY) push(b, type);
}

static void pop_if(body *b, uint32_t type) {
  if (type != ANY) pop(b, type);
}

static void emit(body *b, uint32_t halfword) {
  if (has_room(b, 1)) b->work[b->filled++] = (uint16_t)halfword;
}

/** Where the next halfword will be, in the tables. */
static uint32_t table_place(const body *b) {
  return b->c->table + b->filled - b->table;
}

static void open_label(body *b, uint32_t opener, uint32_t result) {
  if (!has_room(b, LABEL_HALFWORDS)) return;
  b->top -= LABEL_HALFWORDS;
  uint16_t *label = b->work + b->top;
  const bool is_loop = opener == OP_LOOP;
  label[OUTER] = (uint16_t)b->label;
  label[OPENER] = (uint16_t)opener;
  label[RESULT] = (uint16_t)result;
  label[HEIGHT] = (uint16_t)b->words;
  label[DEAD] = 0;
  label[TARGET] = (uint16_t)(is_loop ? b->c->at : NO_PLACE);
  label[TARGET2] = (uint16_t)(is_loop ? table_place(b) : NO_PLACE);
  b->label = b->top;
}

/** What follows is never reached, up to the end of the block. */
static void die(body *b) {
  b->top = b->label;
  b->words = b->work[b->label + HEIGHT];
  b->work[b->label + DEAD] = 1;
}

/** The label that an instruction names. */
static uint16_t *named_label(body *b) {
  uint32_t label = b->label;
  for (uint32_t depth = check_small(b->c); depth > 0; depth--) {
    label = b->work[label + OUTER];
    if (label == NO_PLACE) {
      fail(b, INTERPRETER_BAD_INDEX);
      return b->work + b->label;
    }
  }
  return b->work + label;
}

static uint32_t label_type(const uint16_t *label) {
  return label[OPENER] == OP_LOOP ? ANY : label[RESULT];
}

/** Write a branch to a label; its operands are off the stack. */
static void emit_branch(body *b, uint16_t *label) {
  const uint32_t place = b->filled;
  if (!has_room(b, TARGET_HALFWORDS)) return;
  b->filled += TARGET_HALFWORDS;
  uint16_t *entry = b->work + place;
  entry[0] = label[TARGET];
  entry[1] = label[TARGET2];
  /* A return takes its result from the top, whatever is below. In code that is never reached there may be too little. */
  const uint32_t drop = label[OPENER] == OP_NOP || b->words < label[HEIGHT] ? 0 : b->words - label[HEIGHT];
  entry[2] = (uint16_t)(label_type(label) | drop << 2);
  if (label[OPENER] != OP_LOOP) label[TARGET] = (uint16_t)place;
}

/** Let a chain of branches lead to a position; the tables go on where they are now. */
static void lead(body *b, uint32_t place, uint32_t to) {
  const uint32_t table = table_place(b);
  while (place != NO_PLACE) {
    uint16_t *entry = b->work + place;
    place = entry[0];
    entry[0] = (uint16_t)to;
    entry[1] = (uint16_t)table;
  }
}

/** The branch of an if without its condition, to what is not known yet. */
static void emit_if(body *b) {
  uint16_t *label = b->work + b->label;
  label[TARGET2] = (uint16_t)b->filled;
  emit(b, NO_PLACE);
  emit(b, NO_PLACE);
  emit(b, 0);
}

/** The block's result is on the stack, and nothing else. */
static void close_block(body *b) {
  pop_if(b, b->work[b->label + RESULT]);
  if (b->top != b->label) fail(b, INTERPRETER_TYPE_MISMATCH);
}

static void check_else(body *b) {
  uint16_t *label = b->work + b->label;
  if (label[OPENER] != OP_IF) {
    fail(b, INTERPRETER_BAD_NESTING);
    return;
  }
  close_block(b);
  emit_branch(b, label);
  /* From here on it is a block like any other; its own branch goes to behind this. */
  const uint32_t own = label[TARGET2];
  if (!has_failed(b)) lead(b, own, b->c->at);
  label[OPENER] = OP_ELSE;
  label[TARGET2] = NO_PLACE;
  label[DEAD] = 0;
}

/** @returns whether the body has ended */
static bool check_end(body *b) {
  uint16_t *label = b->work + b->label;
  const uint32_t result = label[RESULT];
  close_block(b);
  if (label[OPENER] == OP_IF) {
    if (result != ANY) fail(b, INTERPRETER_TYPE_MISMATCH);
  }
  if (has_failed(b)) return true;
  const bool is_body = label[OPENER] == OP_NOP;
  const uint32_t behind = b->c->at;
  if (label[OPENER] != OP_LOOP) {
    lead(b, label[TARGET], is_body ? behind - 1 : behind);
    lead(b, label[TARGET2], behind);
  }
  if (is_body) return true;
  b->top += LABEL_HALFWORDS;
  b->label = label[OUTER];
  push_if(b, result);
  return false;
}

static void check_block(body *b, uint32_t opcode) {
  uint32_t result = ANY;
  if (opcode == OP_IF) pop(b, I32);
  if (b->c->at < b->c->end && b->c->given->module[b->c->at] == 0x40) check_byte(b->c);
  else result = check_value_type(b->c);
  open_label(b, opcode, result);
  if (opcode == OP_IF && !has_failed(b)) emit_if(b);
}

static void check_branch_if(body *b) {
  pop(b, I32);
  uint16_t *label = named_label(b);
  const uint32_t type = label_type(label);
  pop_if(b, type);
  emit_branch(b, label);
  push_if(b, type);
}

static void check_branch(body *b) {
  uint16_t *label = named_label(b);
  pop_if(b, label_type(label));
  emit_branch(b, label);
  die(b);
}

static void check_branch_table(body *b) {
  pop(b, I32);
  const uint32_t count = check_u32(b->c);
  uint32_t operand = ANY;
  bool has_operand = false;
  for (uint32_t i = 0; i <= count && !has_failed(b); i++) {
    uint16_t *label = named_label(b);
    const uint32_t type = label_type(label);
    if (i == 0) {
      has_operand = type != ANY;
      if (has_operand) operand = pop(b, b->top == b->label ? ANY : type);
    }
    const bool is_same = operand == ANY || type == operand;
    if ((type != ANY) != has_operand || !is_same) fail(b, INTERPRETER_TYPE_MISMATCH);
    emit_branch(b, label);
  }
  die(b);
}

static void check_call(body *b) {
  const uint32_t number = check_u32(b->c);
  if (number >= b->c->header.functions) {
    fail(b, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint8_t *types = check_signature(b->c, number);
  const uint32_t params = *types++;
  for (uint32_t i = params; i > 0; i--) pop(b, types[i - 1] == 0x7f ? I32 : I64);
  types += params;
  if (types[0] == 1) push(b, types[1] == 0x7f ? I32 : I64);
}

/** A value goes, or one of two: of which the type is nowhere said. */
static void check_parametric(body *b, bool is_select) {
  if (is_select) pop(b, I32);
  uint32_t type = pop(b, ANY);
  if (is_select) {
    const uint32_t other = pop(b, type);
    if (type == ANY) type = other;
  }
  emit(b, type == I64 ? 2 : 1);
  if (is_select) push(b, type);
}

static void check_local(body *b, uint32_t opcode) {
  const uint32_t number = check_small(b->c);
  if (number >= b->locals) {
    fail(b, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint32_t type = (b->map[number] & WIDE) != 0 ? I64 : I32;
  if (opcode != OP_LOCAL_GET) pop(b, type);
  if (opcode != OP_LOCAL_SET) push(b, type);
}

static void check_global(body *b, uint32_t opcode) {
  const uint32_t number = check_small(b->c);
  if (number >= b->c->globals) {
    fail(b, INTERPRETER_BAD_INDEX);
    return;
  }
  const uint32_t global = b->work[number];
  const uint32_t type = (global & WIDE) != 0 ? I64 : I32;
  if (opcode == OP_GLOBAL_GET) {
    push(b, type);
    return;
  }
  if ((global & GLOBAL_MUTABLE) == 0) fail(b, INTERPRETER_IMMUTABLE);
  pop(b, type);
}

/** How an access is aligned, and its offset. */
static void check_access(body *b, uint32_t opcode) {
  const uint32_t alignment = check_small(b->c);
  if (alignment > ACCESS_WIDTHS[opcode - OP_I32_LOAD]) {
    fail(b, alignment < 32 ? INTERPRETER_BAD_ALIGNMENT : INTERPRETER_MEMORY_KIND);
  }
  check_u32(b->c);
  if (b->c->header.pages == 0) fail(b, INTERPRETER_BAD_INDEX);
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
static bool check_special(body *b, uint32_t opcode) {
  switch (opcode) {
    case OP_UNREACHABLE: die(b); break;
    case OP_NOP: break;
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF: check_block(b, opcode); break;
    case OP_ELSE: check_else(b); break;
    case OP_END: return check_end(b);
    case OP_BR: check_branch(b); break;
    case OP_BR_IF: check_branch_if(b); break;
    case OP_BR_TABLE: check_branch_table(b); break;
    case OP_RETURN:
      pop_if(b, b->work[b->c->work_end - LABEL_HALFWORDS + RESULT]);
      die(b);
      break;
    case OP_CALL: check_call(b); break;
    case OP_DROP:
    case OP_SELECT: check_parametric(b, opcode == OP_SELECT); break;
    case OP_LOCAL_GET:
    case OP_LOCAL_SET:
    case OP_LOCAL_TEE: check_local(b, opcode); break;
    case OP_GLOBAL_GET:
    case OP_GLOBAL_SET: check_global(b, opcode); break;
    case OP_I32_CONST:
      check_signed(b->c, 32);
      push(b, I32);
      break;
    default: /* OP_I64_CONST */
      check_signed(b->c, 64);
      push(b, I64);
      break;
  }
  return false;
}

/** @returns whether the body has ended, or has failed */
static bool check_instruction(body *b) {
  const uint32_t opcode = check_byte(b->c);
  const uint32_t rule = rule_of(opcode);
  if (has_failed(b)) return true;
  if (rule == 0) {
    b->c->at--;
    fail(b, refusal(opcode));
    return true;
  }
  if ((rule & SPECIAL) != 0) return check_special(b, opcode) || has_failed(b);
  if (opcode <= OP_I64_STORE32) check_access(b, opcode);
  pop_if(b, rule >> 2 & 3);
  pop(b, rule & 3);
  push_if(b, rule >> 4);
  return has_failed(b);
}

/** Lay a local out. @returns words of all locals up to and with it */
static uint32_t add_local(body *b, uint32_t words, uint32_t type) {
  if (b->locals == LOCALS_MAX || words + type > LOCAL_WORDS_MAX) {
    fail(b, INTERPRETER_TOO_MANY_LOCALS);
    return words;
  }
  b->map[b->locals++] = (uint8_t)(type == I64 ? words | WIDE : words);
  return words + type;
}

static uint32_t check_locals(body *b, const uint8_t *types, uint32_t *params) {
  uint32_t words = 0;
  for (uint32_t i = *types++; i > 0; i--) words = add_local(b, words, *types++ == 0x7f ? I32 : I64);
  *params = words;
  for (uint32_t groups = check_u32(b->c); groups > 0 && !has_failed(b); groups--) {
    uint32_t count = check_u32(b->c);
    const uint32_t type = check_value_type(b->c);
    while (count-- > 0 && !has_failed(b)) words = add_local(b, words, type);
  }
  return words;
}

/** Bytes for locals. */
static void emit_map(body *b) {
  for (uint32_t i = 0; i < b->locals; i += 2) {
    emit(b, b->map[i] | (i + 1 < b->locals ? (uint32_t)b->map[i + 1] << 8 : 0));
  }
}

void check_body(checker *c, uint32_t number) {
  body b = {.c = c, .work = c->given->work, .table = c->globals, .filled = c->globals};
  b.top = c->work_end;
  b.label = NO_PLACE;
  const uint8_t *types = check_signature(c, number);
  uint32_t params;
  const uint32_t words = check_locals(&b, types, &params);
  const uint8_t *results = types + 1 + types[0];
  index_record record = {.params = (uint8_t)params, .zeroed = (uint16_t)(words - params)};
  if (results[0] == 1) record.results = results[1] == 0x7f ? I32 : I64;
  record.locals = (uint16_t)c->table;
  emit_map(&b);
  record.table = (uint16_t)table_place(&b);
  record.code = (uint16_t)c->at;
  open_label(&b, OP_NOP, record.results);
  if (has_failed(&b)) return;
  bool has_ended = false;
  while (!has_ended) has_ended = check_instruction(&b);
  if (c->at != c->end) check_fail(c, INTERPRETER_BAD_NESTING);
  record.end = (uint16_t)(c->at - 1);
  if (b.words_most > WORDS_MAX) check_fail(c, INTERPRETER_TOO_DEEP);
  record.need = (uint16_t)(words + 1 + b.words_most + FRAME_WORDS);
  while ((b.filled - b.table) % 4 != 0 && !has_failed(&b)) emit(&b, 0);
  const uint32_t halfwords = b.filled - b.table;
  if (c->table + halfwords > INDEX_HALFWORDS_MAX) check_fail(c, INTERPRETER_INDEX_TOO_LARGE);
  check_put(c, c->header.tables + 2 * c->table, b.work + b.table, 2 * halfwords);
  check_put(c, c->header.records + number * (uint32_t)sizeof record, &record, sizeof record);
  c->table += halfwords;
}
