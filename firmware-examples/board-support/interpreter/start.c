#include <string.h>

#include "interpreter.h"
#include "binary-format.h"
#include "module-index.h"

enum { GLOBAL_SECTION = 6, EXPORT_SECTION = 7, DATA_SECTION = 11, HEAD_BYTES = 8 };

/** The items of a section. @returns their number, 0 without such a section */
static uint32_t items_of(const interpreter *vm, uint32_t wanted, const uint8_t **items) {
  const uint8_t *at = vm->module + HEAD_BYTES;
  while (at < vm->module + vm->module_bytes) {
    const uint32_t id = *at++;
    const uint32_t length = leb_u32(&at);
    *items = at;
    if (id == wanted) return leb_u32(items);
    at += length;
  }
  return 0;
}

static void set_globals(interpreter *vm) {
  const uint8_t *at;
  uint32_t *word = vm->stack;
  for (uint32_t count = items_of(vm, GLOBAL_SECTION, &at); count > 0; count--) {
    const bool is_wide = *at == 0x7e;
    at += 3; /* type, mutability, the opcode of the constant */
    const uint64_t value = leb_s64(&at);
    *word++ = (uint32_t)value;
    if (is_wide) *word++ = (uint32_t)(value >> 32);
    at++;
  }
}

static interpreter_code copy_data(interpreter *vm) {
  const uint8_t *at;
  for (uint32_t count = items_of(vm, DATA_SECTION, &at); count > 0; count--) {
    at += 2; /* active, the opcode of the constant */
    const uint32_t to = (uint32_t)leb_s64(&at);
    at++;
    const uint32_t length = leb_u32(&at);
    if (to > vm->memory_bytes || length > vm->memory_bytes - to) return INTERPRETER_DATA_OUTSIDE;
    memcpy(vm->memory + to, at, length);
    at += length;
  }
  return INTERPRETER_OK;
}

interpreter_code interpreter_start(interpreter *vm) {
  const index_header *header = vm->index;
  const bool is_ours = header->magic == INDEX_MAGIC && header->version == INDEX_VERSION;
  if (!is_ours || header->module_bytes != vm->module_bytes) return INTERPRETER_INDEX_STRANGE;
  const uint32_t declared = header->pages * 65536u;
  if (vm->memory_bytes > declared) vm->memory_bytes = declared;
  const bool has_memory = header->pages == 0 || vm->memory_bytes >= 8;
  if (!has_memory || vm->stack_words < header->global_words) return INTERPRETER_MEMORY_TOO_SMALL;
  if (vm->memory_bytes > 0) memset(vm->memory, 0, vm->memory_bytes);
  set_globals(vm);
  return copy_data(vm);
}

int32_t interpreter_find(const interpreter *vm, interpreter_kind kind, const char *name) {
  const uint8_t *at;
  for (uint32_t count = items_of(vm, EXPORT_SECTION, &at); count > 0; count--) {
    const uint32_t length = leb_u32(&at);
    uint32_t same = 0;
    while (same < length && (uint8_t)name[same] == at[same]) same++;
    const bool is_same = same == length && name[length] == 0;
    at += length;
    const bool is_kind = *at++ == (uint8_t)kind;
    const uint32_t number = leb_u32(&at);
    if (is_same && is_kind) return (int32_t)number;
  }
  return -1;
}

uint64_t interpreter_global(const interpreter *vm, uint32_t number) {
  const uint32_t place = ((const uint8_t *)vm->index)[INDEX_GLOBALS + number];
  const uint32_t *word = vm->stack + (place & ~WIDE);
  return (place & WIDE) != 0 ? *word | (uint64_t)word[1] << 32 : *word;
}
