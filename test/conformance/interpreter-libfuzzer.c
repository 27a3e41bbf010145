/*
 * A target of libFuzzer: what it makes up is checked as a module; what passes is started, and every function called. How to
 * run it is in firmware-examples/board-support/interpreter/README.md.
 *
 * Everything is lent exactly as large as it is told, so that the sanitizers see each access beyond it.
 */
#include <stdlib.h>
#include <string.h>

#include "interpreter.h"

enum { MEMORY_BYTES = 4096, STACK_WORDS = 300, WORK_HALFWORDS = 600, INDEX_MOST = 65536, ARGS_MOST = 128, GAS = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

typedef struct {
  uint8_t *bytes;
  uint32_t length;
} made_index;

static bool keep(void *context, uint32_t at, const void *bytes, uint32_t length) {
  made_index *made = context;
  if (at % 8 != 0 || length % 8 != 0) abort();
  if (length > INDEX_MOST || at > INDEX_MOST - length) return false;
  memcpy(made->bytes + at, bytes, length);
  if (at + length > made->length) made->length = at + length;
  return true;
}

static void run(const uint8_t *module, uint32_t module_bytes, const made_index *made) {
  static const uint32_t args[ARGS_MOST] = {5, 1, 0xffffffff, 0x80000000, 64, 4000};
  interpreter vm = {.module = module, .module_bytes = module_bytes, .memory_bytes = MEMORY_BYTES, .stack_words = STACK_WORDS};
  vm.index = made->bytes;
  vm.memory = malloc(MEMORY_BYTES);
  vm.stack = malloc(STACK_WORDS * sizeof(uint32_t));
  uint8_t *memory = vm.memory;
  if (memory == NULL || vm.stack == NULL) abort();
  if (interpreter_start(&vm) == INTERPRETER_OK) {
    uint32_t results[2];
    for (uint32_t number = 0; interpreter_call(&vm, number, args, results, GAS) != INTERPRETER_BAD_INDEX; number++) {
      if (vm.gas > GAS || vm.stopped_at > module_bytes) abort();
    }
  }
  free(memory);
  free(vm.stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (length > 65536) return 0;
  made_index made = {malloc(INDEX_MOST), 0};
  interpreter_checking given = {.module = data, .module_bytes = (uint32_t)length, .memory_bytes = MEMORY_BYTES};
  given.work = malloc(WORK_HALFWORDS * sizeof(uint16_t));
  given.work_halfwords = WORK_HALFWORDS;
  given.put = keep;
  given.context = &made;
  if (made.bytes == NULL || given.work == NULL) abort();
  const interpreter_result result = interpreter_check(&given);
  free(given.work);
  if (result.code == INTERPRETER_OK) {
    if (result.at != made.length) abort();
    uint8_t *exact = realloc(made.bytes, made.length);
    if (exact == NULL) abort();
    made.bytes = exact;
    run(data, (uint32_t)length, &made);
  }
  free(made.bytes);
  return 0;
}
