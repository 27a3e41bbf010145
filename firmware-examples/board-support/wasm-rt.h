/*
 * The run time that C made by wasm2c (npm wabt 1.0.39) stands on: free-standing, no heap, no operating system.
 *
 * The module's memory is lent by the caller, byte for byte: a module that declares a page of 64 KiB runs in the few
 * kilobytes that it uses, and an access beyond them traps. Every access is checked. From the C library it needs what
 * gcc itself may call: memcpy, memmove, memset, memcmp. The program decides what a trap does: it defines
 * wasm_rt_trap().
 *
 * Not here, because integer-only modules have no use for them: threads, exceptions, tail calls, externref tables.
 */
#ifndef WASM_RT_H
#define WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "the caller shares memory with the module, whose numbers are little-endian: a big-endian chip is not supported"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WASM_RT_NO_RETURN __attribute__((noreturn))
#else
#define LIKELY(x) (x)
#define UNLIKELY(x) (x)
#define WASM_RT_NO_RETURN
#endif

#ifndef __has_builtin
#define __has_builtin(x) 1 /* gcc before 10 has the builtins that are asked for, not the question */
#endif

/* Features that the generated code asks about. */
#define WABT_BIG_ENDIAN 0
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_SANITY_CHECKS 0
#ifndef WASM_RT_MEMCHECK_GUARD_PAGES
#define WASM_RT_MEMCHECK_GUARD_PAGES 0 /* 1: no checks; only for a module whose every address is proven */
#endif

#if defined(__GNUC__) || defined(__clang__)
#define wasm_rt_memcpy(to, from, bytes) __builtin_memcpy(to, from, bytes) /* a load or a store, and no call */
#else
#define wasm_rt_memcpy(to, from, bytes) memcpy(to, from, bytes)
#endif

/*
 * WASM_RT_PLAIN_LOADS, for the generated file alone: behind each load it says by an empty __asm__ that the value is
 * needed, for machines that check addresses by guard pages. Here none does, and without it a load of 8 or 16 bits extends
 * its value by itself. The generated file has no other __asm__.
 */
#ifdef WASM_RT_PLAIN_LOADS
#define __asm__(...)
#endif

/*
 * WASM_RT_FIXED_BYTES, for a generated file alone that compact-wasm2c wrote: bytes that its memory always has, and what each
 * access is checked against in place of the memory's size. A check of an address that the compiler knows falls away.
 */

/** Bytes of a page; integer-only modules know no other. */
#define WASM_RT_PAGE_BYTES 65536u

/** Why a module was stopped. The numbers are ours: they travel as exit codes. */
typedef enum {
  WASM_RT_TRAP_NONE = 0,
  WASM_RT_TRAP_OOB = 1,           /* outside the memory, a data segment or a table */
  WASM_RT_TRAP_INT_OVERFLOW = 2,  /* INT_MIN / -1 */
  WASM_RT_TRAP_DIV_BY_ZERO = 3,
  WASM_RT_TRAP_INVALID_CONVERSION = 4,
  WASM_RT_TRAP_UNREACHABLE = 5,
  WASM_RT_TRAP_CALL_INDIRECT = 6, /* no such function in the table, or one of another type */
  WASM_RT_TRAP_NOT_LENT = 7       /* the caller lent no memory, or not as wasm_rt_lend_memory takes it, or no large table */
} wasm_rt_trap_t;

/** Types as the generated code names them, where it looks a function's type up. */
typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_FUNCREF, WASM_RT_EXTERNREF } wasm_rt_type_t;

/**
 * The module's memory: `size` bytes at `data`, which may grow to `most_pages`; less than 4 GiB.
 *
 * Where WASM_RT_MEMORY_BYTES says how many, they are in here, and so in the module's instance, which every function of the
 * module has at hand: else each reads the pointer again after whatever it stores. The same number for all files of a
 * program; nothing is lent then but a part of them, or all: wasm_rt_lend_memory(NULL, bytes, capacity), and they are the capacity.
 */
typedef struct {
#ifdef WASM_RT_MEMORY_BYTES
  uint8_t data[WASM_RT_MEMORY_BYTES] __attribute__((aligned(8)));
#else
  uint8_t *data;
#endif
  uint32_t size;
  uint16_t pages;      /* whole pages of `size`: what memory.size answers */
  uint16_t most_pages; /* that it may grow to */
} wasm_rt_memory_t;

typedef void (*wasm_rt_function_ptr_t)(void);
typedef const char *wasm_rt_func_type_t; /* 32 bytes: SHA-256 of the signature */
typedef struct {
  void (*fn)(void **instance, void *stack, void *next);
} wasm_rt_tailcallee_t;

typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void *module_instance;
} wasm_rt_funcref_t;

typedef struct {
  wasm_rt_funcref_t *data;
  uint32_t size;
  uint32_t max_size;
} wasm_rt_funcref_table_t;

typedef void *wasm_rt_externref_t;
typedef struct {
  wasm_rt_externref_t *data;
  uint32_t size;
  uint32_t max_size;
} wasm_rt_externref_table_t;

#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){NULL, NULL, {NULL}, NULL})
#define wasm_rt_externref_null_value ((wasm_rt_externref_t){NULL})

/**
 * Stop the module. The program defines it: print and exit, blink, reset, or jump out of the call.
 *
 * @param reason  one of wasm_rt_trap_t, never WASM_RT_TRAP_NONE
 */
WASM_RT_NO_RETURN void wasm_rt_trap(wasm_rt_trap_t reason);

/**
 * Lend the memory of the next module to be instantiated, and of that one alone.
 *
 * @param memory    caller-owned for as long as the instance is used; overwritten with zeros. With WASM_RT_MEMORY_BYTES it
 *                  is NULL, and `capacity` at most that; anything else traps as not lent
 * @param bytes     size at the start; may be less than the module declares, which then traps beyond it
 * @param capacity  bytes that memory.grow may reach in whole pages, >= bytes
 */
void wasm_rt_lend_memory(uint8_t *memory, uint32_t bytes, uint32_t capacity);

/** Lend the function table of the next module to be instantiated. @param entries how many there is room for */
void wasm_rt_lend_table(wasm_rt_funcref_t *table, uint32_t entries);

/* Called by the generated code. */
bool wasm_rt_is_initialized(void);
#ifdef WASM_RT_MEMORY_BYTES
extern uint32_t wasm_rt_lent_bytes; /* 0: none; of wasm_rt_lend_memory */
/* In here, because what it is given are numbers that the compiler then knows. */
static inline void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool is64,
                                           uint32_t page_bytes) {
  const uint32_t room = (uint32_t)WASM_RT_MEMORY_BYTES / WASM_RT_PAGE_BYTES;
  (void)is64;
  if (wasm_rt_lent_bytes == 0 || page_bytes != WASM_RT_PAGE_BYTES) wasm_rt_trap(WASM_RT_TRAP_NOT_LENT);
  memory->pages = (uint16_t)(room > 0 ? wasm_rt_lent_bytes / WASM_RT_PAGE_BYTES : 0);
  memory->size = wasm_rt_lent_bytes;
  if (room >= pages && memory->pages >= pages) {
    memory->pages = (uint16_t)pages;
    memory->size = memory->pages * WASM_RT_PAGE_BYTES;
  }
  memory->most_pages = (uint16_t)(room < most ? room : most);
  memset(memory->data, 0, memory->size);
  wasm_rt_lent_bytes = 0;
}
#else
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool is64, uint32_t page_bytes);
#endif
uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t pages);
void wasm_rt_free_memory(wasm_rt_memory_t *memory);
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t entries, uint32_t most);
uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t *table, uint32_t entries, wasm_rt_funcref_t value);
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table);

#ifdef __cplusplus
}
#endif

#endif
