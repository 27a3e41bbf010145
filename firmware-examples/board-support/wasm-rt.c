#include "wasm-rt.h"

/** Bytes of a page; the generated code passes it, and integer-only modules know no other. */
#define PAGE_BYTES 65536u
/** What memory.grow and table.grow answer when there is no room. */
#define NO_ROOM UINT32_MAX

static struct {
  uint8_t *memory;
  uint32_t bytes;
  uint32_t capacity;
  wasm_rt_funcref_t *table;
  uint32_t entries;
} lent;

void wasm_rt_lend_memory(uint8_t *memory, uint32_t bytes, uint32_t capacity) {
  lent.memory = memory;
  lent.bytes = bytes;
  lent.capacity = capacity;
}

void wasm_rt_lend_table(wasm_rt_funcref_t *table, uint32_t entries) {
  lent.table = table;
  lent.entries = entries;
}

bool wasm_rt_is_initialized(void) {
  return true;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool is64, uint32_t page_bytes) {
  (void)is64;
#ifdef WASM_RT_MEMORY_BYTES
  const bool is_lent = lent.memory == NULL && lent.bytes > 0 && lent.capacity <= sizeof memory->data;
#else
  const bool is_lent = lent.memory != NULL;
  memory->data = lent.memory;
#endif
  if (!is_lent || page_bytes != PAGE_BYTES) wasm_rt_trap(WASM_RT_TRAP_NOT_LENT);
  const uint64_t declared = pages * PAGE_BYTES;
  const uint64_t largest = most * PAGE_BYTES;
  memory->size = lent.bytes < declared ? lent.bytes : (uint32_t)declared;
  memory->capacity = lent.capacity < largest ? lent.capacity : (uint32_t)largest;
  memory->pages = memory->size / PAGE_BYTES;
  memset(memory->data, 0, memory->size);
  lent.memory = NULL;
  lent.bytes = 0;
}

uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t pages) {
  const uint64_t before = memory->pages;
  const uint64_t bytes = (before + pages) * PAGE_BYTES;
  if (pages == 0) return before;
  if (pages > UINT32_MAX / PAGE_BYTES || bytes > memory->capacity) return NO_ROOM;
  memset(memory->data + memory->size, 0, (size_t)(bytes - memory->size));
  memory->size = (uint32_t)bytes;
  memory->pages = before + pages;
  return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
#ifndef WASM_RT_MEMORY_BYTES
  memory->data = NULL;
#endif
  memory->size = 0;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t entries, uint32_t most) {
  if (lent.table == NULL || lent.entries < entries) wasm_rt_trap(WASM_RT_TRAP_NOT_LENT);
  table->data = lent.table;
  table->size = entries;
  table->max_size = lent.entries < most ? lent.entries : most;
  for (uint32_t i = 0; i < entries; i++) table->data[i] = wasm_rt_funcref_null_value;
  lent.table = NULL;
}

uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t *table, uint32_t entries, wasm_rt_funcref_t value) {
  const uint32_t before = table->size;
  if (entries > table->max_size - before) return NO_ROOM;
  for (uint32_t i = 0; i < entries; i++) table->data[before + i] = value;
  table->size = before + entries;
  return before;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) {
  table->data = NULL;
  table->size = 0;
}
