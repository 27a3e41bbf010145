/* What the parts of interpreter_check share: a reader that stops at the first error, and what was found so far. */
#ifndef INTERPRETER_CHECKER_H
#define INTERPRETER_CHECKER_H

#include "interpreter.h"
#include "module-index.h"

/** In `work`, for each global: its byte of the index, and whether it may be set. */
#define GLOBAL_MUTABLE 0x100u

/** Positions are from the module's start. */
typedef struct {
  const interpreter_checking *given;
  uint32_t at;
  uint32_t end; /* of what is being read: a body, a section, the module */
  interpreter_result error;

  uint32_t work_end; /* halfwords of `work` that are used */
  uint32_t types; /* of the first one */
  uint32_t type_count;
  uint32_t function_types; /* of the first function's number of a type */
  uint32_t globals;
  uint32_t bodies;
  uint32_t table; /* halfwords of tables that are written */
  index_header header;

  /* Of the body that is being read; `check-labels.c` says how it lies in `work`, whose places these are. */
  uint16_t *work;
  uint32_t filled; /* one past what is written of its table, which begins behind the globals */
  uint32_t top;    /* of operands and labels */
  uint32_t label;  /* the innermost */
  uint32_t words;  /* of operands */
  uint32_t words_most;
  uint32_t locals;
} checker;

/** Stop; the first error stays. What is read from now on is 0, and nothing is left to read. */
void check_fail(checker *c, interpreter_code code);

static inline bool check_has_failed(const checker *c) {
  return c->error.code != INTERPRETER_OK;
}

uint32_t check_byte(checker *c);
/** A number of one byte, 0..127. */
uint32_t check_small(checker *c);
uint32_t check_u32(checker *c);
/** Pass over a signed number. @param bits  32 or 64 */
void check_signed(checker *c, uint32_t bits);
/** A value type. @returns its words, 1 for an i32, 2 for an i64 */
uint32_t check_value_type(checker *c);

/** Write a piece of the index. */
void check_put(checker *c, uint32_t at, const void *bytes, uint32_t length);

/** Where the parameters of a function's type begin: their number, their types, and the results'. */
const uint8_t *check_signature(const checker *c, uint32_t function);

/** One body, from its locals on; its end is the checker's. @param number  of its function */
void check_body(checker *c, uint32_t number);

#endif
