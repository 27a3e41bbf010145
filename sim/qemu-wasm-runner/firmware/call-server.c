/*
 * Answers calls of a module's exports over the board's byte stream, little-endian throughout:
 *
 *     1 call   place u16, arguments u64 each        trap u8; then, without a trap, instructions u32, results u64 each
 *     2 read   address u32, length u32              trap u8, bytes (none after a trap)
 *     3 write  address u32, length u32, bytes       trap u8
 *     4 size   -                                    trap u8, bytes of the memory u32
 *     5 stack  -                                    trap u8, most bytes of stack in use so far u32
 *     0 end    -                                    nothing: the program ends
 *
 * One byte at the start says how instantiation ended. A trap ends the call, not the program.
 */
#include <setjmp.h>

#include "board.h"
#include "served-module.h"

enum { CALL = 1, READ = 2, WRITE = 3, SIZE = 4, STACK = 5 };
enum { CALL_HEAD_BYTES = 5 };

static jmp_buf before_call;
static board_count count_before;
static board_count count_after;
/** What counting itself takes: instructions between the readings around nothing. */
static uint32_t count_of_nothing;

void served_before(void) {
  count_before = board_counter();
}

void served_after(void) {
  count_after = board_counter();
}

static uint32_t counted(void) {
  return board_instructions(count_before, count_after);
}

void wasm_rt_trap(wasm_rt_trap_t reason) {
  longjmp(before_call, (int)reason);
}

static uint64_t number(const uint8_t *bytes, uint32_t length) {
  uint64_t value = 0;
  for (uint32_t i = length; i > 0; i--) value = value << 8 | bytes[i - 1];
  return value;
}

static void put_number(uint8_t *bytes, uint64_t value, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

static bool answer_trap(int reason) {
  const uint8_t byte = (uint8_t)reason;
  return board_write(&byte, 1);
}

static bool answer_call(void) {
  static uint8_t raw[8 * SERVED_VALUES_MAX + CALL_HEAD_BYTES];
  static uint64_t args[SERVED_VALUES_MAX];
  static uint64_t results[SERVED_VALUES_MAX];
  if (!board_read(raw, 2)) return false;
  const uint32_t place = (uint32_t)number(raw, 2);
  const uint32_t params = served_params(place);
  if (!board_read(raw, 8 * params)) return false;
  for (uint32_t i = 0; i < params; i++) args[i] = number(raw + 8 * i, 8);
  const int reason = setjmp(before_call);
  if (reason != 0) return answer_trap(reason);
  const uint32_t count = served_call(place, args, results);
  raw[0] = WASM_RT_TRAP_NONE;
  put_number(raw + 1, counted() - count_of_nothing, 4);
  for (uint32_t i = 0; i < count; i++) put_number(raw + CALL_HEAD_BYTES + 8 * i, results[i], 8);
  return board_write(raw, CALL_HEAD_BYTES + 8 * count);
}

/** Read an address and a length. @returns the bytes there; NULL outside the memory, or at the stream's end */
static uint8_t *read_range(uint32_t *length, bool *is_open) {
  uint8_t raw[8];
  const wasm_rt_memory_t *memory = served_memory();
  *is_open = board_read(raw, 8);
  const uint32_t at = (uint32_t)number(raw, 4);
  *length = (uint32_t)number(raw + 4, 4);
  if (!*is_open || memory == NULL || at > memory->size || *length > memory->size - at) return NULL;
  return memory->data + at;
}

static bool answer_read(void) {
  uint32_t length = 0;
  bool is_open = false;
  const uint8_t *bytes = read_range(&length, &is_open);
  if (!is_open) return false;
  if (bytes == NULL) return answer_trap(WASM_RT_TRAP_OOB);
  return answer_trap(WASM_RT_TRAP_NONE) && board_write(bytes, length);
}

static bool answer_write(void) {
  uint32_t length = 0;
  bool is_open = false;
  uint8_t *bytes = read_range(&length, &is_open);
  if (!is_open) return false;
  if (bytes != NULL) return board_read(bytes, length) && answer_trap(WASM_RT_TRAP_NONE);
  uint8_t ignored = 0;
  while (length > 0 && board_read(&ignored, 1)) length--;
  return answer_trap(WASM_RT_TRAP_OOB);
}

static bool answer_number(uint32_t value) {
  uint8_t raw[5] = {WASM_RT_TRAP_NONE, 0, 0, 0, 0};
  put_number(raw + 1, value, 4);
  return board_write(raw, sizeof raw);
}

static bool answer_size(void) {
  const wasm_rt_memory_t *memory = served_memory();
  return answer_number(memory == NULL ? 0 : memory->size);
}

static bool answer(uint8_t request) {
  switch (request) {
    case CALL: return answer_call();
    case READ: return answer_read();
    case WRITE: return answer_write();
    case SIZE: return answer_size();
    case STACK: return answer_number(board_stack_high_water());
    default: return false;
  }
}

int main(void) {
  board_start();
  served_before();
  served_after();
  count_of_nothing = counted();
  const int reason = setjmp(before_call);
  if (reason == 0) served_start();
  bool is_open = answer_trap(reason) && reason == 0;
  uint8_t request = 0;
  while (is_open && board_read(&request, 1)) is_open = answer(request);
  return 0;
}
