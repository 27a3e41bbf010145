/*
 * Operands and labels of the body that is checked, and the places where its branches lead.
 *
 * The room for work is used from both ends. Operands and labels stack from its end downwards, a halfword for an operand
 * and LABEL_HALFWORDS for a label, which lies under the operands of its block:
 *
 *     globals | the body's table so far ─▶       ◀─ operands | label | operands | label of the body
 *
 * A branch ahead is not known yet: its places are a chain through the table, which ends in NO_PLACE, until the block ends.
 */
#include "check-labels.h"
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

/** Room for so many halfwords between both ends. */
static bool has_room(checker *c, uint32_t halfwords) {
  if (c->top - c->filled >= halfwords) return true;
  check_fail(c, INTERPRETER_WORK_TOO_SMALL);
  return false;
}

void operand_push(checker *c, uint32_t type) {
  if (!has_room(c, 1)) return;
  c->work[--c->top] = (uint16_t)type;
  c->words += type == I64 ? 2 : 1;
  if (c->words > c->words_most) c->words_most = c->words;
}

/** Take an operand. @param wanted  ANY for whatever there is. @returns its type, ANY where nothing reaches this point */
uint32_t operand_pop(checker *c, uint32_t wanted) {
  if (c->top == c->label) {
    if (c->work[c->label + DEAD] == 0) check_fail(c, INTERPRETER_TYPE_MISMATCH);
    return wanted;
  }
  const uint32_t type = c->work[c->top++];
  c->words -= type == I64 ? 2 : 1;
  if (type != wanted && type != ANY && wanted != ANY) check_fail(c, INTERPRETER_TYPE_MISMATCH);
  return type == ANY ? wanted : type;
}

void operand_push_if(checker *c, uint32_t type) {
  if (type != ANY) operand_push(c, type);
}

void operand_pop_if(checker *c, uint32_t type) {
  if (type != ANY) operand_pop(c, type);
}

void table_emit(checker *c, uint32_t halfword) {
  if (has_room(c, 1)) c->work[c->filled++] = (uint16_t)halfword;
}

/** Where the next halfword will be, in the tables. */
uint32_t table_place(const checker *c) {
  return c->table + c->filled - c->globals;
}

void label_open(checker *c, uint32_t opener, uint32_t result) {
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
void label_die(checker *c) {
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
  table_emit(c, NO_PLACE);
  table_emit(c, NO_PLACE);
  table_emit(c, 0);
}

/** The block's result is on the stack, and nothing else. */
static void close_block(checker *c) {
  operand_pop_if(c, c->work[c->label + RESULT]);
  if (c->top != c->label) check_fail(c, INTERPRETER_TYPE_MISMATCH);
}

void label_else(checker *c) {
  uint16_t *label = c->work + c->label;
  if (label[OPENER] != OP_IF) {
    check_fail(c, INTERPRETER_BAD_NESTING);
    return;
  }
  close_block(c);
  emit_branch(c, label);
  /* From here on it is a block like any other; its own branch goes to behind this. */
  const uint32_t own = label[TARGET2];
  if (!check_has_failed(c)) lead(c, own, c->at);
  label[OPENER] = OP_ELSE;
  label[TARGET2] = NO_PLACE;
  label[DEAD] = 0;
}

/** @returns whether the body has ended */
bool label_end(checker *c) {
  uint16_t *label = c->work + c->label;
  const uint32_t result = label[RESULT];
  close_block(c);
  if (label[OPENER] == OP_IF) {
    if (result != ANY) check_fail(c, INTERPRETER_TYPE_MISMATCH);
  }
  if (check_has_failed(c)) return true;
  const bool is_body = label[OPENER] == OP_NOP;
  const uint32_t behind = c->at;
  if (label[OPENER] != OP_LOOP) {
    lead(c, label[TARGET], is_body ? behind - 1 : behind);
    lead(c, label[TARGET2], behind);
  }
  if (is_body) return true;
  c->top += LABEL_HALFWORDS;
  c->label = label[OUTER];
  operand_push_if(c, result);
  return false;
}

void label_block(checker *c, uint32_t opcode) {
  uint32_t result = ANY;
  if (opcode == OP_IF) operand_pop(c, I32);
  if (c->at < c->end && c->given->module[c->at] == 0x40) check_byte(c);
  else result = check_value_type(c);
  label_open(c, opcode, result);
  if (opcode == OP_IF && !check_has_failed(c)) emit_if(c);
}

void branch_if(checker *c) {
  operand_pop(c, I32);
  uint16_t *label = named_label(c);
  const uint32_t type = label_type(label);
  operand_pop_if(c, type);
  emit_branch(c, label);
  operand_push_if(c, type);
}

void branch_always(checker *c) {
  uint16_t *label = named_label(c);
  operand_pop_if(c, label_type(label));
  emit_branch(c, label);
  label_die(c);
}

void branch_table(checker *c) {
  operand_pop(c, I32);
  const uint32_t count = check_u32(c);
  uint32_t operand = ANY;
  bool has_operand = false;
  for (uint32_t i = 0; i <= count && !check_has_failed(c); i++) {
    uint16_t *label = named_label(c);
    const uint32_t type = label_type(label);
    if (i == 0) {
      has_operand = type != ANY;
      if (has_operand) operand = operand_pop(c, c->top == c->label ? ANY : type);
    }
    const bool is_same = operand == ANY || type == operand;
    if ((type != ANY) != has_operand || !is_same) check_fail(c, INTERPRETER_TYPE_MISMATCH);
    emit_branch(c, label);
  }
  label_die(c);
}

void branch_return(checker *c) {
  operand_pop_if(c, c->work[c->work_end - LABEL_HALFWORDS + RESULT]);
  label_die(c);
}
