/*
 * A Cortex-M0, M3, M4 or M7 from its reset on: vectors, a clock and a counter from SysTick, an end by semihosting.
 *
 * SysTick counts the processor's clock down and interrupts each millisecond. Under `-icount shift=7` an instruction takes
 * 128 ns of virtual time, which is 3.2 ticks of mps2 and 21.5 of the netduinoplus2: more than two, so that rounding a
 * difference of ticks gives back the exact count.
 */
#include "cortex-m.h"

#include "bare-metal.h"

#define SYSTICK_CONTROL REGISTER(0xE000E010u)
#define SYSTICK_RELOAD REGISTER(0xE000E014u)
#define SYSTICK_VALUE REGISTER(0xE000E018u)
#define SYSTICK_ON 7u /* counts, interrupts, by the processor's clock */
#define INTERRUPT_STATE REGISTER(0xE000ED04u)
#define RESET_CONTROL REGISTER(0xE000ED0Cu)
#define RESET_SYSTEM 0x05FA0004u
#define SYSTICK_PENDING (1u << 26)
#define NVIC_ENABLE REGISTER(0xE000E100u + UART_INTERRUPT / 32u * 4u)
#define NVIC_DISABLE REGISTER(0xE000E180u + UART_INTERRUPT / 32u * 4u)
#define NVIC_FORGET REGISTER(0xE000E280u + UART_INTERRUPT / 32u * 4u)
#define UART_BIT (1u << (UART_INTERRUPT % 32u))

#define SEMIHOSTING_EXIT_EXTENDED 0x20u
#define STOPPED_APPLICATION_EXIT 0x20026u

/** Instructions of board_tick: each millisecond has that many that are nobody's. */
#define TICK_INSTRUCTIONS 5u

extern volatile uint32_t board_milliseconds;
volatile uint32_t board_milliseconds;

/** `board_stack_high` of the linker script, by the type that a table of functions takes. */
extern void board_stack_top(void);
void board_reset(void);
void board_tick(void);
void board_fault(void);
#ifdef BOARD_RESTARTS
void board_bark(void);
#endif

/** Vectors of the processor itself and, of devices, the UART's; it wakes the processor, and is taken once the board listens. */
__attribute__((section(".vectors"), used)) static void (*const vectors[16 + UART_INTERRUPT + 1])(void) = {
    board_stack_top, /* no function: the first stack pointer */
    board_reset,
#ifdef BOARD_RESTARTS
    board_bark, /* non-maskable: the watchdog */
#else
    board_fault, /* non-maskable */
#endif
    board_fault, /* hard fault */
    board_fault, /* memory management */
    board_fault, /* bus fault */
    board_fault, /* usage fault */
    [11] = board_fault,
    [12] = board_fault,
    [14] = board_fault,
    [15] = board_tick,
    [16 + UART_INTERRUPT] = bare_metal_receive,
};

void board_reset(void) {
  bare_metal_main();
}

/** In assembly, so that its count of instructions is known. */
__attribute__((naked)) void board_tick(void) {
  __asm__ volatile(
      ".syntax unified\n"
      "ldr r0, =board_milliseconds\n"
      "ldr r1, [r0]\n"
      "adds r1, #1\n"
      "str r1, [r0]\n"
      "bx lr\n");
}

/** The stack may have run out: take it anew from the top. */
__attribute__((naked)) void board_fault(void) {
  __asm__ volatile(
      "mov r0, sp\n"
      "ldr r1, =board_stack_high\n"
      "mov sp, r1\n"
      "ldr r1, =bare_metal_fault\n"
      "bx r1\n");
}

#ifdef BOARD_RESTARTS
/** Whatever hung may have used the stack up. */
__attribute__((naked)) void board_bark(void) {
  __asm__ volatile(
      "ldr r1, =board_stack_high\n"
      "mov sp, r1\n"
      "ldr r1, =bare_metal_bark\n"
      "bx r1\n");
}
#endif

void cpu_reset(void) {
  RESET_CONTROL = RESET_SYSTEM;
  for (;;) __asm__ volatile("dsb" ::: "memory");
}

void cpu_start(void) {
  SYSTICK_RELOAD = CPU_TICKS_PER_MS - 1u;
  SYSTICK_VALUE = 0;
  SYSTICK_CONTROL = SYSTICK_ON;
}

void cpu_listen(void) {
  NVIC_ENABLE = UART_BIT;
}

void cpu_wait(void) {
  const bool is_listening = bare_metal_is_listening();
  __asm__ volatile("cpsid i" ::: "memory");
  if (!is_listening) NVIC_ENABLE = UART_BIT;
  if (!bare_metal_has_byte()) __asm__ volatile("wfi" ::: "memory");
  if (!is_listening) {
    NVIC_DISABLE = UART_BIT;
    uart_acknowledge();
    NVIC_FORGET = UART_BIT;
  }
  __asm__ volatile("cpsie i\nisb" ::: "memory");
}

uint32_t *cpu_stack(void) {
  uint32_t *pointer;
  __asm__ volatile("mov %0, sp" : "=r"(pointer));
  return pointer;
}

void cpu_exit(int32_t code) {
  const uint32_t block[2] = {STOPPED_APPLICATION_EXIT, (uint32_t)code};
  register uint32_t operation __asm__("r0") = SEMIHOSTING_EXIT_EXTENDED;
  register const uint32_t *parameter __asm__("r1") = block;
  for (;;) __asm__ volatile("bkpt 0xAB" : "+r"(operation) : "r"(parameter) : "memory");
}

uint32_t board_now_ms(void) {
  return board_milliseconds;
}

/** Milliseconds, and the ticks since the last of them. */
board_count board_counter(void) {
  board_count now;
  do {
    now.high = board_milliseconds;
    now.low = CPU_TICKS_PER_MS - 1u - SYSTICK_VALUE;
  } while (now.high != board_milliseconds || (INTERRUPT_STATE & SYSTICK_PENDING) != 0);
  return now;
}

uint32_t board_instructions(board_count from, board_count to) {
  const bool borrows = to.low < from.low;
  const uint32_t ms = to.high - from.high - (borrows ? 1u : 0u);
  const uint32_t ticks = to.low + (borrows ? CPU_TICKS_PER_MS : 0u) - from.low;
  const uint64_t ns = (uint64_t)ms * CPU_NS_PER_MS + ticks * CPU_TICK_NS_TIMES / CPU_TICK_NS_OVER;
  const uint32_t counted = (uint32_t)((ns + NS_PER_INSTRUCTION / 2u) / NS_PER_INSTRUCTION);
  return counted - TICK_INSTRUCTIONS * (to.high - from.high);
}
