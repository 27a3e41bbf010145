/* Between the parts of a board without an operating system: what a processor and a UART are to bare-metal.c. */
#ifndef BARE_METAL_H
#define BARE_METAL_H

#include "board.h"

/** A device's register. */
#define REGISTER(address) (*(volatile uint32_t *)(address))

/** Start the millisecond clock and the counter. */
void cpu_start(void);
/** Let the UART's interrupt in, which calls bare_metal_receive(); from now on. */
void cpu_listen(void);
/** Sleep until an interrupt of the UART or of the clock is due; not when a byte is there (bare_metal_has_byte). */
void cpu_wait(void);
/** The processor's stack pointer. */
uint32_t *cpu_stack(void);
/** Reset the whole board, by its own means. */
void cpu_reset(void) __attribute__((noreturn));
/** The watchdog has waited in vain: restart. */
void bare_metal_bark(void) __attribute__((noreturn));
/** End the emulation. */
void cpu_exit(int32_t code) __attribute__((noreturn));

void uart_start(void);
bool uart_has_byte(void);
/** The next byte; only when there is one. */
uint8_t uart_take(void);
/** Whether bytes were lost for want of room in the UART since it was asked last. */
bool uart_has_lost(void);
/** Send a byte, waiting for room. */
void uart_put(uint8_t byte);
/** Wait until every byte has left. */
void uart_drain(void);
/** Take back the interrupt that a received byte raised. */
void uart_acknowledge(void);

/* From the linker script. */
extern uint32_t board_stack_low[];
extern uint32_t board_stack_high[];
extern uint32_t board_data_load[];
extern uint32_t board_data_start[];
extern uint32_t board_data_end[];
extern uint32_t board_zero_start[];
extern uint32_t board_zero_end[];

/** After a reset, once there is a stack: fill the memory, run the program and end. */
void bare_metal_main(void) __attribute__((noreturn));

/** The UART's interrupt: take what it holds. */
void bare_metal_receive(void);

/** Whether a byte waits to be read, wherever it is. */
bool bare_metal_has_byte(void);

/** Whether board_listen() was called. */
bool bare_metal_is_listening(void);

/** The processor has stopped the program. @param stack  its stack pointer then */
void bare_metal_fault(const uint32_t *stack) __attribute__((noreturn));

#endif
