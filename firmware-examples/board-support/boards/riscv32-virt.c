/*
 * QEMU's `virt` as RV32IMC in machine mode, from its reset on: a 16550 UART, the CLINT's clock, minstret as the counter,
 * and an end by the test device. @see The RISC-V Instruction Set Manual, volume II, chapter 3
 */
#include "bare-metal.h"

#define UART(offset) (*(volatile uint8_t *)(0x10000000u + (offset)))
#define UART_DATA UART(0u)
#define UART_INTERRUPTS UART(1u)
#define UART_STATUS UART(5u)
#define STATUS_RECEIVED 1u
#define STATUS_LOST (1u << 1) /* goes when it is read */
#define STATUS_SEND_EMPTY (1u << 5)
#define STATUS_SENT (1u << 6)

#define CLINT_COMPARE_LOW REGISTER(0x02004000u)
#define CLINT_COMPARE_HIGH REGISTER(0x02004004u)
#define CLINT_TIME_LOW REGISTER(0x0200BFF8u)
#define CLINT_TIME_HIGH REGISTER(0x0200BFFCu)
#define CLOCK_TICKS_PER_MS 10000u

#define PLIC_PRIORITY_UART REGISTER(0x0C000028u) /* source 10 */
#define PLIC_ENABLE REGISTER(0x0C002000u)
#define PLIC_THRESHOLD REGISTER(0x0C200000u)
#define PLIC_CLAIM REGISTER(0x0C200004u)
#define PLIC_UART_BIT (1u << 10)

#define FINISHER REGISTER(0x00100000u)
#define FINISHER_PASS 0x5555u
#define FINISHER_FAIL 0x3333u
#define FINISHER_RESET 0x7777u

/** External and timer interrupts may wake; mstatus lets them in only while the board listens, and then the timer is silent. */
#define WAKING (1u << 11 | 1u << 7)
#define INTERRUPTS_IN "8" /* MIE of mstatus */
/** Nobody may touch the page below the stack: locked, a power of two, no permission. */
#define GUARD_PAGE 0x98u
#define GUARD_PAGE_BYTES 4096u

void board_reset(void);
void board_fault(void);
void board_trapped(void);
void board_interrupted(void);

static bool has_lost;
static uint32_t first_time_low;
static uint32_t first_time_high;

/** The first instruction of the image. */
__attribute__((naked, section(".vectors"), used)) void board_reset(void) {
  __asm__ volatile(
      ".option push\n"
      ".option norelax\n"
      "la gp, __global_pointer$\n"
      ".option pop\n"
      "la sp, board_stack_high\n"
      "la t0, board_fault\n"
      "csrw mtvec, t0\n"
      "j bare_metal_main\n");
}

/** The stack may have run out: take it anew from the top. */
__attribute__((naked, aligned(4))) void board_fault(void) {
  __asm__ volatile(
      "mv a0, sp\n"
      "la sp, board_stack_high\n"
      "j bare_metal_fault\n");
}

/** Whatever stops the program while the board listens; a fault gets no stack, which may have run out. */
__attribute__((naked, aligned(4))) void board_trapped(void) {
  __asm__ volatile(
      "csrw mscratch, t0\n"
      "csrr t0, mcause\n"
      "bltz t0, 1f\n"
      "j board_fault\n"
      "1: csrr t0, mscratch\n"
      "addi sp, sp, -64\n"
      "sw ra, 0(sp)\nsw t0, 4(sp)\nsw t1, 8(sp)\nsw t2, 12(sp)\n"
      "sw t3, 16(sp)\nsw t4, 20(sp)\nsw t5, 24(sp)\nsw t6, 28(sp)\n"
      "sw a0, 32(sp)\nsw a1, 36(sp)\nsw a2, 40(sp)\nsw a3, 44(sp)\n"
      "sw a4, 48(sp)\nsw a5, 52(sp)\nsw a6, 56(sp)\nsw a7, 60(sp)\n"
      "call board_interrupted\n"
      "lw ra, 0(sp)\nlw t0, 4(sp)\nlw t1, 8(sp)\nlw t2, 12(sp)\n"
      "lw t3, 16(sp)\nlw t4, 20(sp)\nlw t5, 24(sp)\nlw t6, 28(sp)\n"
      "lw a0, 32(sp)\nlw a1, 36(sp)\nlw a2, 40(sp)\nlw a3, 44(sp)\n"
      "lw a4, 48(sp)\nlw a5, 52(sp)\nlw a6, 56(sp)\nlw a7, 60(sp)\n"
      "addi sp, sp, 64\n"
      "mret\n");
}

/** No other source is enabled. */
void board_interrupted(void) {
  const uint32_t source = PLIC_CLAIM;
  bare_metal_receive();
  PLIC_CLAIM = source;
}

static uint64_t clock_ticks(void) {
  uint32_t high;
  uint32_t low;
  do {
    high = CLINT_TIME_HIGH;
    low = CLINT_TIME_LOW;
  } while (high != CLINT_TIME_HIGH);
  return (uint64_t)high << 32 | low;
}

void cpu_start(void) {
  const uint32_t guard = ((uint32_t)(uintptr_t)board_stack_low - GUARD_PAGE_BYTES) >> 2 | (GUARD_PAGE_BYTES / 8u - 1u);
  __asm__ volatile("csrw pmpaddr0, %0\ncsrw pmpcfg0, %1" ::"r"(guard), "r"(GUARD_PAGE));
  __asm__ volatile("csrw mie, %0" ::"r"(WAKING));
  PLIC_PRIORITY_UART = 1;
  PLIC_ENABLE = PLIC_UART_BIT;
  PLIC_THRESHOLD = 0;
  const uint64_t now = clock_ticks();
  first_time_low = (uint32_t)now;
  first_time_high = (uint32_t)(now >> 32);
}

void cpu_listen(void) {
  CLINT_COMPARE_HIGH = UINT32_MAX;
  PLIC_CLAIM = PLIC_CLAIM;
  /* A byte that is there already has had its interrupt, and keeps the line from rising for the next. */
  bare_metal_receive();
  __asm__ volatile("csrw mtvec, %0\ncsrsi mstatus, " INTERRUPTS_IN ::"r"(board_trapped) : "memory");
}

void cpu_wait(void) {
  const uint64_t due = clock_ticks() + CLOCK_TICKS_PER_MS;
  __asm__ volatile("csrci mstatus, " INTERRUPTS_IN ::: "memory");
  CLINT_COMPARE_HIGH = UINT32_MAX;
  CLINT_COMPARE_LOW = (uint32_t)due;
  CLINT_COMPARE_HIGH = (uint32_t)(due >> 32);
  if (!bare_metal_has_byte()) __asm__ volatile("wfi" ::: "memory");
  CLINT_COMPARE_HIGH = UINT32_MAX;
  if (bare_metal_is_listening()) {
    __asm__ volatile("csrsi mstatus, " INTERRUPTS_IN ::: "memory");
  } else {
    PLIC_CLAIM = PLIC_CLAIM; /* what was claimed is complete: the byte's own register says the rest */
  }
}

uint32_t *cpu_stack(void) {
  uint32_t *pointer;
  __asm__ volatile("mv %0, sp" : "=r"(pointer));
  return pointer;
}

void cpu_reset(void) {
  for (;;) FINISHER = FINISHER_RESET;
}

void cpu_exit(int32_t code) {
  for (;;) FINISHER = code == 0 ? FINISHER_PASS : (uint32_t)code << 16 | FINISHER_FAIL;
}

uint32_t board_now_ms(void) {
  const uint64_t first = (uint64_t)first_time_high << 32 | first_time_low;
  return (uint32_t)((clock_ticks() - first) / CLOCK_TICKS_PER_MS);
}

board_count board_counter(void) {
  board_count now = {0, 0};
  uint32_t again = 0;
  do {
    __asm__ volatile("csrr %0, minstreth\ncsrr %1, minstret\ncsrr %2, minstreth"
                     : "=r"(now.high), "=r"(now.low), "=r"(again));
  } while (now.high != again);
  return now;
}

uint32_t board_instructions(board_count from, board_count to) {
  return to.low - from.low;
}

/** Its queue stays off: to turn it on would drop a byte that is already there. */
void uart_start(void) {
  UART_INTERRUPTS = 1;
}

bool uart_has_byte(void) {
  const uint32_t status = UART_STATUS;
  if ((status & STATUS_LOST) != 0) has_lost = true;
  return (status & STATUS_RECEIVED) != 0;
}

bool uart_has_lost(void) {
  const bool since_last = has_lost;
  has_lost = false;
  return since_last;
}

uint8_t uart_take(void) {
  return UART_DATA;
}

void uart_put(uint8_t byte) {
  while ((UART_STATUS & STATUS_SEND_EMPTY) == 0) {
  }
  UART_DATA = byte;
}

void uart_drain(void) {
  while ((UART_STATUS & STATUS_SENT) == 0) {
  }
}

/** The interrupt falls with the byte that is taken. */
void uart_acknowledge(void) {
}
