/* The board of board.h on a processor with one UART and no operating system. */
#include "bare-metal.h"

#include "receive-ring.h"
#include "restart.h"

/** What unused stack holds; no address and no small number. */
#define PAINT 0x5AFEC0DEu
/** Words below the painter's own frame that are left alone. */
#define UNPAINTED_WORDS 32

int main(void);

static receive_ring heard;
static bool is_listening;

void bare_metal_main(void) {
  const uint32_t *from = board_data_load;
  for (uint32_t *to = board_data_start; to != board_data_end; to++) *to = *from++;
  for (uint32_t *to = board_zero_start; to != board_zero_end; to++) *to = 0;
  board_exit(main());
}

void bare_metal_fault(const uint32_t *stack) {
  const int32_t code = stack < board_stack_low ? BOARD_EXIT_STACK : BOARD_EXIT_FAULT;
#ifdef BOARD_RESTARTS
  board_restart(RESTART_FAULT, (uint32_t)code << 16);
#else
  cpu_exit(code);
#endif
}

void board_start(void) {
  uint32_t *const top = cpu_stack() - UNPAINTED_WORDS;
  for (uint32_t *word = board_stack_low; word < top; word++) *word = PAINT;
  uart_start();
  cpu_start();
}

uint32_t board_stack_high_water(void) {
  const uint32_t *word = board_stack_low;
  while (word != board_stack_high && *word == PAINT) word++;
  return (uint32_t)((uintptr_t)board_stack_high - (uintptr_t)word);
}

/** The flag of the interrupt first: a byte that comes after it raises another. */
void bare_metal_receive(void) {
  uart_acknowledge();
  while (uart_has_byte()) receive_ring_push(&heard, uart_take());
  if (uart_has_lost()) heard.missed = heard.missed + 1u;
}

void board_listen(uint8_t *ring, uint32_t bytes) {
  receive_ring_begin(&heard, ring, bytes);
  bare_metal_receive(); /* what is there already may raise no interrupt any more */
  is_listening = true;
  cpu_listen();
}

uint32_t board_missed(void) {
  return heard.missed;
}

bool bare_metal_is_listening(void) {
  return is_listening;
}

bool bare_metal_has_byte(void) {
  return is_listening ? receive_ring_waiting(&heard) > 0 : uart_has_byte();
}

static uint8_t next_byte(void) {
  return is_listening ? receive_ring_take(&heard) : uart_take();
}

bool board_read(uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    while (!bare_metal_has_byte()) board_wait();
    bytes[i] = next_byte();
  }
  return true;
}

int32_t board_read_now(uint8_t *bytes, uint32_t most) {
  uint32_t count = 0;
  while (count < most && bare_metal_has_byte()) bytes[count++] = next_byte();
  return (int32_t)count;
}

bool board_write(const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) uart_put(bytes[i]);
  return true;
}

void board_wait(void) {
  cpu_wait();
}

void board_exit(int32_t code) {
  uart_drain();
  cpu_exit(code);
}

void board_trap(uint32_t reason) {
  board_exit(BOARD_EXIT_TRAP + (int32_t)reason);
}
