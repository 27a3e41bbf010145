#include "wasm-rt.h"

/** What memory.grow and table.grow answer when there is no room. */
#define NO_ROOM UINT32_MAX

#ifdef WASM_RT_MEMORY_BYTES
uint32_t wasm_rt_lent_bytes;
#else
static struct {
  uint8_t *memory;
  uint32_t bytes;
  uint32_t capacity;
} lent;
#endif

static struct {
  wasm_rt_funcref_t *table;
  uint32_t entries;
} lent_table;

void wasm_rt_lend_memory(uint8_t *memory, uint32_t bytes, uint32_t capacity) {
#ifdef WASM_RT_MEMORY_BYTES
  wasm_rt_lent_bytes = memory != NULL || capacity > WASM_RT_MEMORY_BYTES ? 0 : bytes;
#else
  lent.memory = memory;
  lent.bytes = bytes;
  lent.capacity = capacity;
#endif
}

void wasm_rt_lend_table(wasm_rt_funcref_t *table, uint32_t entries) {
  lent_table.table = table;
  lent_table.entries = entries;
}

bool wasm_rt_is_initialized(void) {
  return true;
}

#ifndef WASM_RT_MEMORY_BYTES
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool is64, uint32_t page_bytes) {
  (void)is64;
  if (lent.memory == NULL || page_bytes != WASM_RT_PAGE_BYTES) wasm_rt_trap(WASM_RT_TRAP_NOT_LENT);
  const uint32_t room = lent.capacity / WASM_RT_PAGE_BYTES;
  memory->data = lent.memory;
  lent.memory = NULL;
  memory->pages = (uint16_t)(lent.bytes / WASM_RT_PAGE_BYTES);
  memory->size = lent.bytes;
  if (memory->pages >= pages) {
    memory->pages = (uint16_t)pages;
    memory->size = memory->pages * WASM_RT_PAGE_BYTES;
  }
  memory->most_pages = (uint16_t)(room < most ? room : most);
  memset(memory->data, 0, memory->size);
}
#endif

uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t pages) {
  const uint32_t before = memory->pages;
  if (pages == 0) return before;
  if (pages > memory->most_pages || before + pages > memory->most_pages) return NO_ROOM;
  const uint32_t bytes = (uint32_t)(before + pages) * WASM_RT_PAGE_BYTES;
  memset(memory->data + memory->size, 0, bytes - memory->size);
  memory->size = bytes;
  memory->pages = (uint16_t)(before + pages);
  return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
#ifndef WASM_RT_MEMORY_BYTES
  memory->data = NULL;
#endif
  memory->size = 0;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t entries, uint32_t most) {
  if (lent_table.table == NULL || lent_table.entries < entries) wasm_rt_trap(WASM_RT_TRAP_NOT_LENT);
  table->data = lent_table.table;
  table->size = entries;
  table->max_size = lent_table.entries < most ? lent_table.entries : most;
  for (uint32_t i = 0; i < entries; i++) table->data[i] = wasm_rt_funcref_null_value;
  lent_table.table = NULL;
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
