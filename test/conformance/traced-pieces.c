/* Three pieces between two marks, of instructions that are known; the input's first byte is the exit code. */
#include "board.h"
#include "core.h"
#include "traced-pieces.h"

#define OUT_OF_LINE __attribute__((noinline))

static volatile uint32_t marks;
/* In memory: a register would be moved to between two marks. */
static volatile uint32_t result;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

/* Unlike the other two, or gcc would make one function of them. */
OUT_OF_LINE void inner(void);
OUT_OF_LINE void inner(void) {
  marks += 2;
}

OUT_OF_LINE void piece_begins(void);
OUT_OF_LINE void piece_begins(void) {
  inner();
  marks++;
}

OUT_OF_LINE void piece_ends(void);
OUT_OF_LINE void piece_ends(void) {
  marks++;
}

int main(void) {
  uint8_t code = 0;
  board_start();
  board_read(&code, 1);
  result = support_adds(code);
  piece_begins();
  __asm__ volatile(".rept 10\nnop\n.endr");
  piece_ends();
  piece_begins();
  __asm__ volatile(".rept 30\nnop\n.endr");
  piece_ends();
  piece_begins();
  __asm__ volatile(".rept 30\nnop\n.endr\n.rept 4\nudiv r0, r0, r0\n.endr" ::: "r0");
  piece_ends();
  return (int)result;
}
