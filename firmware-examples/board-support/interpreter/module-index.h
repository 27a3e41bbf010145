/*
 * The index of a module: what interpreter_check found out, in the form that interpreter_call reads from flash.
 *
 *     offset 0          index_header
 *     16                a byte for each global: its word, and bit 7 for an i64; up to a multiple of 8
 *     header.records    index_record of each function
 *     header.tables     for each function: a byte for each local, like the globals'; then, in the order of the code,
 *                       halfwords for each instruction that needs some; up to a multiple of 8 bytes
 *
 *     if, else, br, br_if, each target of br_table     TARGET_HALFWORDS: where to go on in the module; where in the tables,
 *                                                      from header.tables; bits 0 and 1 words to keep, the rest to drop
 *     drop, select                                     1: words of the value
 */
#ifndef INTERPRETER_MODULE_INDEX_H
#define INTERPRETER_MODULE_INDEX_H

#include <stdint.h>

#define INDEX_MAGIC 0x6c49u
/** Of the index' form; another form is another number. */
#define INDEX_VERSION 1u
#define INDEX_GLOBALS 16u
#define TARGET_HALFWORDS 3u
/** In a byte for a local or global: its type is i64. */
#define WIDE 0x80u
#define LOCALS_MAX 127u

/** Positions in the module are from its start, positions in the index in bytes. */
typedef struct {
  uint16_t magic;
  uint16_t version;
  uint16_t module_bytes;
  uint16_t functions;
  uint16_t global_words;
  uint16_t records;
  uint16_t tables;
  uint16_t pages; /* of memory that the module declares, 65,535 for more; 0 without a memory */
} index_header;

/** One function. */
typedef struct {
  uint16_t code;   /* its first instruction */
  uint16_t end;    /* its last, the end */
  uint16_t table;  /* halfwords from header.tables */
  uint16_t locals; /* the same, of its bytes for locals */
  uint8_t params;  /* words */
  uint8_t results; /* words */
  uint16_t zeroed; /* words of its other locals */
  uint16_t need;   /* words of the stack from its first parameter on, with a frame */
  uint16_t spare;
} index_record;

/** Words of a frame. */
#define FRAME_WORDS 2u

#endif
