/*
 * Checks modules and calls their functions, one case after the other from standard input; little-endian throughout.
 *
 *     case    u32 bytes of the module, of its memory, words of the stack, halfwords to check with, gas of a call, calls,
 *             most bytes of the index that are taken, what is added to its first byte before the start;
 *             the module; for each call u8 length of the export's name, the name, u8 words of arguments, u32 each
 *     answer  u32 code and place of the check; only after 0: u32 code of the start; only after 0: for each call u32 code,
 *             place, gas left, result low and high; then u32 bytes of the memory, u64 FNV-1a of it, u32 words of globals,
 *             u32 each
 *
 * Everything that the interpreter is lent is exactly as large as it is told, from the allocator: an access beyond is seen
 * by the address sanitizer. The index is asked for twice, and must be the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interpreter.h"

enum { INDEX_MOST = 16 + 128 + 1023 * 16 + 2 * 65536, NAME_MOST = 255, ARGS_MOST = 255, EXIT_INDEX = 3 };

typedef struct {
  uint8_t *bytes;
  uint32_t length;
  uint32_t most;
  bool is_written[INDEX_MOST / 8];
} index_store;

static void *exactly(size_t bytes) {
  void *lent = malloc(bytes == 0 ? 1 : bytes);
  if (lent == NULL) exit(2);
  return lent;
}

static uint32_t take_u32(void) {
  uint8_t raw[4];
  if (fread(raw, 1, 4, stdin) != 4) exit(0);
  return raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
}

static void tell_u32(uint32_t value) {
  const uint8_t raw[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
  fwrite(raw, 1, 4, stdout);
}

/** Like flash: every eight bytes are written once. */
static bool put_piece(void *context, uint32_t at, const void *bytes, uint32_t length) {
  index_store *store = context;
  if (length > store->most || at > store->most - length) return false;
  if (at % 8 != 0 || length % 8 != 0 || length > INDEX_MOST || at > INDEX_MOST - length) exit(EXIT_INDEX);
  for (uint32_t unit = at / 8; unit < (at + length) / 8; unit++) {
    if (store->is_written[unit]) exit(EXIT_INDEX);
    store->is_written[unit] = true;
  }
  memcpy(store->bytes + at, bytes, length);
  if (at + length > store->length) store->length = at + length;
  return true;
}

static bool compare_piece(void *context, uint32_t at, const void *bytes, uint32_t length) {
  const index_store *store = context;
  return at <= store->length && length <= store->length - at && memcmp(store->bytes + at, bytes, length) == 0;
}

static interpreter_result check(interpreter_checking *given, index_store *store) {
  memset(store->is_written, 0, sizeof store->is_written);
  store->length = 0;
  store->bytes = exactly(INDEX_MOST);
  given->context = store;
  given->put = put_piece;
  given->work = exactly(2 * (size_t)given->work_halfwords);
  const interpreter_result result = interpreter_check(given);
  if (result.code == INTERPRETER_OK) {
    given->put = compare_piece;
    const interpreter_result again = interpreter_check(given);
    if (again.code != result.code || again.at != result.at || result.at != store->length) exit(EXIT_INDEX);
    /* Exactly as long as it is, for the sanitizer. */
    uint8_t *exact = exactly(store->length);
    memcpy(exact, store->bytes, store->length);
    free(store->bytes);
    store->bytes = exact;
  }
  free(given->work);
  return result;
}

static void run_calls(interpreter *vm, uint32_t calls, uint32_t gas) {
  static uint32_t args[ARGS_MOST];
  static char name[NAME_MOST + 1];
  for (uint32_t i = 0; i < calls; i++) {
    const int length = getchar();
    if (length < 0 || fread(name, 1, (size_t)length, stdin) != (size_t)length) exit(2);
    name[length] = 0;
    const int words = getchar();
    for (int word = 0; word < words; word++) args[word] = take_u32();
    const int32_t number = interpreter_find(vm, INTERPRETER_FUNCTION, name);
    if (number < 0) exit(4);
    uint32_t results[2] = {0, 0};
    const interpreter_code code = interpreter_call(vm, (uint32_t)number, args, results, gas);
    tell_u32(code);
    tell_u32(vm->stopped_at);
    tell_u32(vm->gas);
    tell_u32(results[0]);
    tell_u32(results[1]);
  }
}

static void tell_state(const interpreter *vm) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (uint32_t i = 0; i < vm->memory_bytes; i++) hash = (hash ^ vm->memory[i]) * 0x100000001b3u;
  tell_u32(vm->memory_bytes);
  tell_u32((uint32_t)hash);
  tell_u32((uint32_t)(hash >> 32));
  const uint32_t words = ((const uint16_t *)vm->index)[4];
  tell_u32(words);
  for (uint32_t i = 0; i < words; i++) tell_u32(vm->stack[i]);
}

/** Of a module that is not run. */
static void pass_over_calls(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) {
    for (int length = getchar(); length > 0; length--) getchar();
    for (int words = getchar(); words > 0; words--) take_u32();
  }
}

int main(void) {
  static index_store store;
  for (;;) {
    const uint32_t module_bytes = take_u32();
    interpreter_checking checking = {.module_bytes = module_bytes};
    checking.memory_bytes = take_u32();
    interpreter vm = {.module_bytes = module_bytes, .memory_bytes = checking.memory_bytes, .stack_words = take_u32()};
    checking.work_halfwords = take_u32();
    const uint32_t gas = take_u32();
    const uint32_t calls = take_u32();
    store.most = take_u32();
    const uint8_t damage = (uint8_t)take_u32();
    uint8_t *module = exactly(module_bytes);
    if (fread(module, 1, module_bytes, stdin) != module_bytes) exit(2);
    checking.module = module;
    const interpreter_result checked = check(&checking, &store);
    tell_u32(checked.code);
    tell_u32(checked.at);
    if (checked.code == INTERPRETER_OK) {
      vm.module = module;
      vm.index = store.bytes;
      vm.memory = exactly(vm.memory_bytes);
      vm.stack = exactly(4 * (size_t)vm.stack_words);
      uint8_t *memory = vm.memory;
      store.bytes[0] = (uint8_t)(store.bytes[0] + damage);
      const interpreter_code started = interpreter_start(&vm);
      tell_u32(started);
      if (started == INTERPRETER_OK) {
        run_calls(&vm, calls, gas);
        tell_state(&vm);
      } else pass_over_calls(calls);
      free(memory);
      free(vm.stack);
    } else pass_over_calls(calls);
    free(store.bytes);
    free(module);
    fflush(stdout);
  }
}
