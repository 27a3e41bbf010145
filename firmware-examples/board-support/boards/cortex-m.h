/* What cortex-m.c must know of the chip; one of these is chosen by the build. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#if defined(BOARD_MPS2)
/** Processor clock 25 MHz: a tick is 40 ns. */
#define CPU_TICKS_PER_MS 25000u
#define CPU_TICK_NS_TIMES 40u
#define CPU_TICK_NS_OVER 1u
#define CPU_NS_PER_MS 1000000u
/** UART 0, receive. */
#define UART_INTERRUPT 0u
#elif defined(BOARD_STM32F405)
/** 168 MHz, as QEMU clocks the netduinoplus2 from its reset on: a tick is 125/21 ns. */
#define CPU_TICKS_PER_MS 168000u
#define CPU_TICK_NS_TIMES 125u
#define CPU_TICK_NS_OVER 21u
/** QEMU drops the fraction of a nanosecond at each reload. */
#define CPU_NS_PER_MS 999999u
/** USART1. */
#define UART_INTERRUPT 37u
#else
#error "no such board: define BOARD_MPS2 or BOARD_STM32F405"
#endif

/** Virtual time of an instruction under `-icount shift=7`, as the runner starts QEMU. */
#define NS_PER_INSTRUCTION 128u

#endif
