/* Leaving a call from below, defined in ../jump.c. */
#ifndef BOARD_SETJMP_H
#define BOARD_SETJMP_H

/** Room for the registers that a call preserves: 10 on a Cortex-M, 14 on RISC-V. */
typedef unsigned int jmp_buf[14];

int setjmp(jmp_buf place) __attribute__((returns_twice));
void longjmp(jmp_buf place, int value) __attribute__((noreturn));

#endif
