/*
 * The core as a module that is interpreted: the names that wasm2c gives to device.wasm, for edge_core.h, in place of the
 * header that it would make. interpreted-core.c has what a device uses of them; what only a decoder uses is declared alone.
 */
#ifndef INTERPRETED_CORE_H
#define INTERPRETED_CORE_H

#include "interpreter.h"
#include "wasm-rt.h"

/* As wasm2c names them, once for all modules of a program. */
#ifndef WASM_RT_CORE_TYPES_DEFINED
#define WASM_RT_CORE_TYPES_DEFINED
typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef float f32;
typedef double f64;
#endif

/** Words of the interpreter's stack: globals, values and frames of device.wasm, with some to spare. */
#ifndef INTERPRETED_STACK_WORDS
#define INTERPRETED_STACK_WORDS 208
#endif
/** The most bytes of code that one call may run: the watchdog of a module. A sample takes less than 1,000,000. */
#ifndef INTERPRETED_GAS
#define INTERPRETED_GAS 32000000u
#endif
/** Exports that a device uses. */
#define INTERPRETED_FUNCTIONS 25

/** A module in flash, and its index beside it. */
typedef struct {
  const uint8_t *module;
  uint32_t module_bytes;
  const void *index;
} interpreted_module;

typedef struct {
  wasm_rt_memory_t w2c_memory; /* as wasm2c names it */
  interpreter vm;
  uint16_t functions[INTERPRETED_FUNCTIONS]; /* their numbers in this module */
  uint32_t stack[INTERPRETED_STACK_WORDS];
} w2c_core;

/** Say which module the next instance is; it stays in place as long as that is used. */
void interpreted_core_lend(const interpreted_module *module);

/**
 * Start the module that was lent, in the memory that was lent (wasm_rt_lend_memory).
 *
 * @returns INTERPRETER_OK; what interpreter_start says; INTERPRETER_BAD_INDEX when an export that a device needs is missing
 *          or of another type
 */
interpreter_code interpreted_core_start(w2c_core *core);

/** Why the last call was stopped and where: code 2^16 + byte of the module behind the instruction; for wasm_rt_trap(). */
uint32_t interpreted_core_stopped(void);

/** interpreted_core_start, or a trap. */
void wasm2c_core_instantiate(w2c_core *core);

wasm_rt_memory_t *w2c_core_memory(w2c_core *core);
u32 *w2c_core_0x5F_heap_base(w2c_core *core);
u32 w2c_core_configAddress(w2c_core *core);
u32 w2c_core_spareEnd(w2c_core *core);
u32 w2c_core_stateAddress(w2c_core *core);
u32 w2c_core_freeAddress(w2c_core *core);
u32 w2c_core_codecConfigure(w2c_core *core, u32 channels);
u32 w2c_core_codecSetChannel(w2c_core *core, u32 channel, u32 e, u32 lattice, u32 history_shift);
void w2c_core_codecReset(w2c_core *core);
void w2c_core_encodeBegin(w2c_core *core, u32 has_events, u32 out, u32 capacity);
u32 w2c_core_encodeRows(w2c_core *core, u32 samples, u32 statuses, u32 count);
u32 w2c_core_encodeIsQuiet(w2c_core *core);
u32 w2c_core_encodeEnd(w2c_core *core);
u32 w2c_core_decodeBegin(w2c_core *core, u32 flags, u32 rows, u32 input, u32 length);
u32 w2c_core_decodeRows(w2c_core *core, u32 samples, u32 statuses, u32 count);
u32 w2c_core_decodeEnd(w2c_core *core);
u32 w2c_core_replayQuietRows(w2c_core *core, u32 samples, u32 count);
u32 w2c_core_stateHash(w2c_core *core);
u32 w2c_core_persistentBytes(w2c_core *core, u32 channels, u32 history_shift);
u32 w2c_core_stateBytes(w2c_core *core, u32 channels, u32 history_shift);
u32 w2c_core_linkFlush(w2c_core *core, u64 time_us, u32 now_ms);
u32 w2c_core_linkSample(w2c_core *core, u32 samples, u32 statuses, u64 time_us, u32 now_ms);
u32 w2c_core_linkBegin(w2c_core *core, u32 channels, u32 frame_samples, u32 silence_ms, u32 mtu);
u32 w2c_core_linkChannel(w2c_core *core, u32 name, u32 name_bytes, u32 unit, u32 unit_bytes, u32 e, u32 lattice,
                         u32 history_shift, u64 offset, u32 mantissa, u32 exponent, u64 eps_mantissa, u32 eps_exponent);
u32 w2c_core_linkDescribe(w2c_core *core, u32 birth, u32 room, u32 device, u32 device_bytes, u64 period_ns, u32 model,
                          u32 firmware, u32 firmware_bytes);
u32 w2c_core_linkMemory(w2c_core *core, u32 ring, u32 ring_bytes, u32 out, u32 out_bytes, u32 message_bytes);
u32 w2c_core_linkOpen(w2c_core *core, u32 nonce, u32 epoch, u32 now_ms);
u32 w2c_core_linkRestore(w2c_core *core, u32 nonce, u32 now_ms);
u32 w2c_core_linkReceive(w2c_core *core, u32 message, u32 length, u32 now_ms);
void w2c_core_linkConnected(w2c_core *core, u32 now_ms);
void w2c_core_linkDisconnected(w2c_core *core);
u32 w2c_core_linkPoll(w2c_core *core, u64 time_us, u32 now_ms);
u32 w2c_core_linkPresence(w2c_core *core, u32 online);
u32 w2c_core_linkWakeMs(w2c_core *core, u32 now_ms);
void w2c_core_linkDirtyClear(w2c_core *core);
u32 w2c_core_linkView(w2c_core *core);

#endif
