/* Operands, labels and branches of a body: what every instruction does to them. */
#ifndef INTERPRETER_CHECK_LABELS_H
#define INTERPRETER_CHECK_LABELS_H

#include "checker.h"

/** Types of operands: the number of their words. ANY is none, or what nothing reaches. */
enum { ANY = 0, I32 = 1, I64 = 2 };
/** Of no label, and the end of a chain of branches. */
#define NO_PLACE 0xffffu

void operand_push(checker *c, uint32_t type);
/** Take an operand. @param wanted  ANY for whatever there is. @returns its type, ANY where nothing reaches this point */
uint32_t operand_pop(checker *c, uint32_t wanted);
/** The same for a type that may be none. */
void operand_push_if(checker *c, uint32_t type);
void operand_pop_if(checker *c, uint32_t type);

/** Write a halfword of the body's table. */
void table_emit(checker *c, uint32_t halfword);
/** Where the next one will be, in the tables. */
uint32_t table_place(const checker *c);

/** @param opener  the instruction, OP_NOP for the body. @param result  its type */
void label_open(checker *c, uint32_t opener, uint32_t result);
/** What follows is never reached, up to the end of the block. */
void label_die(checker *c);
/** A block, a loop or an if, from its type on. */
void label_block(checker *c, uint32_t opcode);
void label_else(checker *c);
/** @returns whether the body has ended */
bool label_end(checker *c);

/* Instructions that branch, from behind their opcode on. */
void branch_always(checker *c);
void branch_if(checker *c);
void branch_table(checker *c);
void branch_return(checker *c);

#endif
