/*
 * Runs integer-only WebAssembly modules in place: C99, free-standing, no heap, no recursion. README.md says how.
 *
 *     interpreter_check    a module, once: everything is proven before its first instruction, and the index is made
 *     interpreter_start    memory, globals
 *     interpreter_call     a function, by its number; interpreter_find has the number of an export
 *
 * The module stays where it is, in flash. Beside it lies its index, also in flash: 16 bytes for each function and 6 for
 * each place that branches. All memory is the caller's.
 */
#ifndef INTERPRETER_H
#define INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "the module's memory and index are little-endian: a big-endian chip is not supported"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Why a module is refused, or a call was stopped. The numbers are ours and do not change: they travel in messages. */
typedef enum {
  INTERPRETER_OK = 0,

  /* A call was stopped: traps of WebAssembly with the numbers that wasm_rt_trap_t has for them, then ours. */
  INTERPRETER_OUT_OF_BOUNDS = 1,    /* a load or a store outside the memory */
  INTERPRETER_INT_OVERFLOW = 2,     /* the least number divided by -1 */
  INTERPRETER_DIVIDE_BY_ZERO = 3,
  INTERPRETER_UNREACHABLE = 5,
  INTERPRETER_STACK_EXHAUSTED = 8,  /* the lent stack has no room for this function */
  INTERPRETER_GAS_EXHAUSTED = 9,    /* the call took longer than it may */

  /* Not a valid module: no engine takes it. */
  INTERPRETER_BAD_HEADER = 16,      /* not the four letters and version 1 */
  INTERPRETER_TRUNCATED = 17,       /* ends inside an item, or an item inside its section */
  INTERPRETER_BAD_NUMBER = 18,      /* a LEB128 number is too long or too large */
  INTERPRETER_BAD_SECTION = 19,     /* unknown, out of order, twice, or not as long as it says */
  INTERPRETER_BAD_TYPE = 20,        /* a global neither constant nor variable */
  INTERPRETER_BAD_INDEX = 21,       /* of a type, function, local, global, label or memory that there is not */
  INTERPRETER_TYPE_MISMATCH = 22,   /* an operand is missing, of another type, or one too many */
  INTERPRETER_BAD_ALIGNMENT = 23,   /* larger than the access */
  INTERPRETER_BAD_NESTING = 24,     /* an end or else without its begin, or a body that does not end where it must */
  INTERPRETER_IMMUTABLE = 25,       /* a constant global is set */
  INTERPRETER_DUPLICATE_EXPORT = 27,
  INTERPRETER_BAD_LIMITS = 28,      /* a memory with a maximum below its minimum, or above 4 GiB */
  INTERPRETER_BODY_COUNT = 29,      /* not as many bodies as functions */

  /* Valid perhaps, and not for this interpreter. */
  INTERPRETER_HAS_IMPORT = 32,
  INTERPRETER_HAS_FLOAT = 33,
  INTERPRETER_HAS_SIMD = 34,
  INTERPRETER_HAS_TABLE = 35,       /* a table or an element segment */
  INTERPRETER_HAS_START = 36,
  INTERPRETER_HAS_CALL_INDIRECT = 37,
  INTERPRETER_HAS_MEMORY_SIZE = 38,
  INTERPRETER_HAS_MEMORY_GROW = 39,
  INTERPRETER_UNKNOWN_OPCODE = 40,  /* of a later version, or of none */
  INTERPRETER_UNKNOWN_TYPE = 41,    /* a reference, several results, or a block with parameters */
  INTERPRETER_PASSIVE_DATA = 42,
  INTERPRETER_NAME_NOT_ASCII = 43,
  INTERPRETER_PADDED_NUMBER = 44,   /* a local, global, label or alignment in more bytes than one */
  INTERPRETER_UNKNOWN_SECTION = 45,
  INTERPRETER_MEMORY_KIND = 46,     /* shared, of 64 bits, a second one, or of no page */
  INTERPRETER_UNKNOWN_CONSTANT = 47,/* a start value or a data segment's place that is not one constant of its type */

  /* More than there is room for. */
  INTERPRETER_MODULE_TOO_LONG = 48, /* 65,535 bytes */
  INTERPRETER_TOO_MANY_LOCALS = 49, /* 128 words and 127 locals of a function, its parameters among them */
  INTERPRETER_TOO_MANY_GLOBALS = 50,/* 128 words */
  INTERPRETER_TOO_DEEP = 51,        /* labels: 127; or more operands than 1,023 words */
  INTERPRETER_WORK_TOO_SMALL = 52,  /* the room for checking: a function has too many branches */
  INTERPRETER_INDEX_TOO_LARGE = 53, /* 65,535 pairs of bytes */
  INTERPRETER_DATA_OUTSIDE = 54,    /* a data segment lies outside the lent memory */
  INTERPRETER_INDEX_REFUSED = 55,   /* the caller did not take a piece of the index */
  INTERPRETER_INDEX_STRANGE = 56,   /* the index is of another module, or of another version of this interpreter */
  INTERPRETER_MEMORY_TOO_SMALL = 57,/* fewer than 8 bytes lent to a module that has a memory, or no room for globals */
  INTERPRETER_TOO_MANY_ITEMS = 58   /* 1,023 functions, 255 types, 255 exports */
} interpreter_code;

/** What, and where: a byte of the module, from its start. */
typedef struct {
  interpreter_code code;
  uint32_t at;
} interpreter_result;

/**
 * Takes a piece of the index: it may be programmed into flash at once, for each byte comes once. Header last: an index
 * that is not complete does not begin as one.
 *
 * @param at      offset from the index' start, a multiple of 8
 * @param bytes   the piece; the interpreter's own
 * @param length  of it, a multiple of 8
 * @returns false to stop: there is no room, or, where the index is compared, it is another one
 */
typedef bool interpreter_put(void *context, uint32_t at, const void *bytes, uint32_t length);

/** How a module is checked. */
typedef struct {
  const uint8_t *module;
  uint32_t module_bytes;
  uint32_t memory_bytes; /* that the module will be lent */
  uint16_t *work;        /* used while checking alone: the module's memory to be, or the stack */
  uint32_t work_halfwords; /* of more than 65,535 the rest is left alone */
  interpreter_put *put;
  void *context;
} interpreter_checking;

/**
 * Prove that a module is valid and fits, and make its index.
 *
 * @returns INTERPRETER_OK, with the bytes of the index in `at`; or why not, and where
 */
interpreter_result interpreter_check(const interpreter_checking *given);

/** A module that runs. The caller fills in the first part and keeps all of it. */
typedef struct {
  const uint8_t *module;
  uint32_t module_bytes;
  const void *index;     /* as interpreter_check made it, aligned to 4 */
  uint8_t *memory;       /* aligned to 4 */
  uint32_t memory_bytes;
  uint32_t *stack;       /* globals at its start, values after them, frames from its end */
  uint32_t stack_words;  /* at most 65,535 */

  uint32_t gas;          /* left of the last call */
  uint16_t stopped_at;   /* in the module, just behind the instruction that stopped the last call */
} interpreter;

/**
 * Set memory, globals and data to what the module begins with.
 *
 * @returns INTERPRETER_OK; INTERPRETER_INDEX_STRANGE, INTERPRETER_MEMORY_TOO_SMALL, INTERPRETER_DATA_OUTSIDE
 */
interpreter_code interpreter_start(interpreter *vm);

/** What an export is. */
typedef enum { INTERPRETER_FUNCTION = 0, INTERPRETER_MEMORY = 2, INTERPRETER_GLOBAL = 3 } interpreter_kind;

/** The number of an export, by its name in ASCII. @returns -1 where there is none */
int32_t interpreter_find(const interpreter *vm, interpreter_kind kind, const char *name);

/** A global's value; an i32 is the low half. */
uint64_t interpreter_global(const interpreter *vm, uint32_t number);

/**
 * Call a function.
 *
 * @param function  its number, of interpreter_find
 * @param args      its parameters as words: one for an i32, two for an i64, the low one first
 * @param results   likewise, room for 2
 * @param gas       the most bytes of code that may be run, loops counted each time: a bound of time
 * @returns INTERPRETER_OK, or why it was stopped, and vm->stopped_at says where. The module can be called on
 */
interpreter_code interpreter_call(interpreter *vm, uint32_t function, const uint32_t *args, uint32_t *results, uint32_t gas);

#ifdef __cplusplus
}
#endif

#endif
