/*
 * A program of its own on every board, for wasm-board-programs.test.ts: one byte says what to do next.
 *
 *     e b    answers b                        n      answers what board_read_now gives once a byte has come
 *     c      answers u32: instructions of a loop of 1,000,000 rounds, and of nothing
 *     s      answers u32: stack in use, before and after a deep call
 *     m      answers u8 1 once the clock has moved
 *     i      answers the 32 bytes of the module's identity
 *     l b    answers u32: the module's memory at address b
 *     p      starts the module anew in memory that a pointer lends
 *     h n m  listens with a ring of n bytes (0: 256), is busy until m bytes (0: 256) have come, and ends: answers u32 how
 *            many were missed, then what is read at once
 *     t f o x  ends: by a trap, a fault, a stack that runs out, with 7
 */
#include "board.h"
#include "core-id.h"
#include "core.h"

static w2c_core core;
static uint8_t memory[256] __attribute__((aligned(8)));
static wasm_rt_funcref_t table[4];
static const uint8_t model[] = CORE_SHA256;
/** Not constant to the compiler. */
static volatile uint32_t nothing;
/** Not zero before main. */
static volatile uint32_t one = 1;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

static void answer(uint32_t value) {
  const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
  board_write(bytes, sizeof bytes);
}

#if defined(__arm__) && !defined(__linux__)
__attribute__((noinline)) static void spin(uint32_t rounds) {
  __asm__ volatile(".syntax unified\n1: subs %0, #1\nbne 1b" : "+l"(rounds) : : "cc");
}
#elif defined(__riscv)
__attribute__((noinline)) static void spin(uint32_t rounds) {
  __asm__ volatile("1: addi %0, %0, -1\nbnez %0, 1b" : "+r"(rounds));
}
#else
static void spin(uint32_t rounds) {
  (void)rounds;
}
#endif

__attribute__((noinline)) static uint32_t count_spin(uint32_t rounds) {
  const board_count before = board_counter();
  spin(rounds);
  return board_instructions(before, board_counter());
}

static void count(void) {
  const board_count now = board_counter();
  answer(count_spin(1000000 + one) - count_spin(one));
  answer(board_instructions(now, now));
}

/** About 100 bytes of stack for each level. */
static uint32_t deep(uint32_t levels) {
  volatile uint32_t kept[24];
  kept[0] = levels;
  return levels == 0 ? kept[0] : deep(levels - 1) + kept[0];
}

static void answer_stack(void) {
  answer(board_stack_high_water());
  nothing += deep(20);
  answer(board_stack_high_water());
}

static void answer_next(void) {
  uint8_t byte = 0;
  int32_t got = 0;
  while ((got = board_read_now(&byte, 1)) == 0) board_wait();
  answer((uint32_t)got);
}

static void answer_clock(void) {
  const uint32_t before = board_now_ms();
  while (board_now_ms() - before < 2) board_wait();
  const uint8_t moved = 1;
  board_write(&moved, 1);
}

/** How many bytes of the ring are no longer as they were, which nobody but the board changes. */
static uint32_t arrived(const volatile uint8_t *ring, uint32_t bytes) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < bytes; i++) count += ring[i] != 0 ? 1u : 0u;
  return count;
}

/** Never asks for a byte while it is busy. A board that does not listen gets a time after which it is given up. */
static void listen_busily(uint32_t bytes, uint32_t expected) {
  static uint8_t ring[256];
  static uint8_t read[256];
  const uint32_t start_ms = board_now_ms();
  board_listen(ring, bytes);
  while (arrived(ring, bytes) + board_missed() < expected && board_now_ms() - start_ms < 10000u) {
  }
  answer(board_missed());
  const int32_t got = board_read_now(read, sizeof read);
  board_write(read, (uint32_t)got);
}

static void begin(uint8_t *lent, uint32_t bytes) {
  wasm_rt_lend_memory(lent, bytes, bytes);
  wasm_rt_lend_table(table, 4);
  wasm2c_core_instantiate(&core);
}

int main(void) {
  uint8_t command = 0;
  board_start();
#ifdef WASM_RT_MEMORY_BYTES
  begin(NULL, WASM_RT_MEMORY_BYTES);
#else
  begin(memory, sizeof memory);
#endif
  while (board_read(&command, 1)) {
    switch (command) {
      case 'e':
        if (board_read(&command, 1)) board_write(&command, 1);
        break;
      case 'n': answer_next(); break;
      case 'c': count(); break;
      case 's': answer_stack(); break;
      case 'm': answer_clock(); break;
      case 'i': board_write(model, sizeof model); break;
      case 'l':
        if (board_read(&command, 1)) answer(w2c_core_load(&core, command));
        break;
      case 'h': {
        uint8_t how[2] = {0, 0};
        board_read(how, sizeof how);
        listen_busily(how[0] == 0 ? 256u : how[0], how[1] == 0 ? 256u : how[1]);
        return 7;
      }
      case 'p': begin(memory, sizeof memory); break;
      case 't': w2c_core_divide(&core, 1, nothing); break;
      case 'f': *(volatile uint32_t *)(uintptr_t)(0xF0000000u + nothing) = 1; break;
      case 'o': nothing += deep(UINT32_MAX); break;
      default: return 7;
    }
  }
  return 9;
}
