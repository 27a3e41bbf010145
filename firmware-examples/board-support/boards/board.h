/*
 * What a board gives to a program, the same on a microcontroller and on Linux: a byte stream in each direction, a clock,
 * a count of instructions, the depth of the stack, and an end.
 *
 * A program is `int main(void)`; it calls board_start() first, and its result is the exit code.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

/** Exit code of board_trap(reason), less the reason: 101..107 for a module's traps (wasm_rt_trap_t). */
#define BOARD_EXIT_TRAP 100
/** Exit code after a fault of the processor: an address that is not there, an instruction that it does not know. */
#define BOARD_EXIT_FAULT 120
/** Exit code after the stack has run out. */
#define BOARD_EXIT_STACK 121

/** Start the stream and the clock, and paint the stack. Before everything else here, once. */
void board_start(void);

/** Read exactly `length` bytes, waiting for them. @returns false when the stream has ended; a serial line never does */
bool board_read(uint8_t *bytes, uint32_t length);

/** Read what is there. @returns bytes read, 0..most; -1 when the stream has ended */
int32_t board_read_now(uint8_t *bytes, uint32_t most);

/**
 * From now on keep bytes as they come, by interrupt, whatever the program is doing: up to `bytes` of them wait until they
 * are read. Before it, a UART that holds one byte loses the second. Once; not for a program that counts instructions, whose
 * counts would have those of the interrupts. On Linux the kernel does this from the start.
 *
 * @param ring   the board's from now on
 * @param bytes  of it, a power of two: what the line brings in the longest time between two reads, or more
 */
void board_listen(uint8_t *ring, uint32_t bytes);

/** Bytes that were lost since board_listen(): the ring was full, or the UART says that it had no room. Wraps. */
uint32_t board_missed(void);

/** Write all of them, waiting for room. @returns false when nobody reads any more */
bool board_write(const uint8_t *bytes, uint32_t length);

/** Rest until a byte has come, or a millisecond or so has passed. */
void board_wait(void);

/** Milliseconds since board_start(), without a jump; wraps after 2^32, 49.7 days, to 0 (long-clock.h goes on). */
uint32_t board_now_ms(void);

/** A reading of the counter, for board_instructions(). */
typedef struct {
  uint32_t high;
  uint32_t low;
} board_count;

/** The counter now. */
board_count board_counter(void);

/**
 * Instructions between two readings, those of the clock's interrupts left out: exact where QEMU counts (`-icount`), else
 * a time in no unit. Always 0 on Linux.
 */
uint32_t board_instructions(board_count from, board_count to);

/** Most bytes of stack that were in use at once since board_start(); 0 on Linux, where nothing is painted. */
uint32_t board_stack_high_water(void);

/** End the program once all is written. @param code  0..255 */
void board_exit(int32_t code) __attribute__((noreturn));

/** End the program because its module was stopped. @param reason  1..7, a wasm_rt_trap_t */
void board_trap(uint32_t reason) __attribute__((noreturn));

#endif
