#include "core-instance.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>

/** More than the module's own data, which lies in front of what is reserved. */
#define FIRST_BYTES (4u << 20)
/** What is kept from chunk to chunk: of a larger one, memory is given back. */
#define KEPT_BYTES (64u << 20)
/** The runtime counts pages in 16 bits. */
#define MOST_BYTES ((uint64_t)UINT16_MAX * WASM_RT_PAGE_BYTES)

static struct {
  w2c_trajectory module;
  uint8_t *memory; /* NULL: there is no instance */
  uint32_t bytes;
} core;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static jmp_buf stopped;

WASM_RT_NO_RETURN void wasm_rt_trap(wasm_rt_trap_t reason) {
  longjmp(stopped, (int)reason);
}

static void drop(void) {
  free(core.memory);
  core.memory = NULL;
  core.bytes = 0;
}

static bool make(uint64_t least) {
  const uint64_t bytes = (least + WASM_RT_PAGE_BYTES - 1) / WASM_RT_PAGE_BYTES * WASM_RT_PAGE_BYTES;
  drop();
  if (bytes > MOST_BYTES) return false;
  core.memory = calloc(1, (size_t)bytes);
  if (core.memory == NULL) return false;
  core.bytes = (uint32_t)bytes;
  wasm_rt_lend_memory(core.memory, core.bytes, core.bytes);
  wasm2c_trajectory_instantiate(&core.module);
  /* Not by wasm_rt_grow_memory, which fills with zeros what calloc has not even taken yet. */
  wasm_rt_memory_t *memory = w2c_trajectory_memory(&core.module);
  memory->size = core.bytes;
  memory->pages = (uint16_t)(core.bytes / WASM_RT_PAGE_BYTES);
  return true;
}

uint32_t core_reserve(uint64_t bytes) {
  if (core.memory == NULL && !make(FIRST_BYTES)) return 0;
  const uint32_t start = w2c_trajectory_heapStart(&core.module);
  if (start + bytes > core.bytes && !make(start + bytes)) return 0;
  return start;
}

w2c_trajectory *core_instance(void) {
  return &core.module;
}

uint8_t *core_at(uint32_t address) {
  return w2c_trajectory_memory(&core.module)->data + address;
}

bool core_run(void (*work)(void *context), void *context) {
  volatile bool is_done = false;
  pthread_mutex_lock(&lock);
  if (setjmp(stopped) == 0) {
    work(context);
    is_done = true;
  } else {
    drop();
  }
  if (core.bytes > KEPT_BYTES) drop();
  pthread_mutex_unlock(&lock);
  return is_done;
}

/** HDF5 unloads its plugins when it closes. */
__attribute__((destructor)) static void unload(void) {
  drop();
}
