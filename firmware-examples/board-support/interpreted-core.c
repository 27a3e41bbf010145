/* Each function of the core calls the interpreter; device.c does not see the difference. */
#include "core.h"

#include "module-index.h"

/** Of an export: its name, and the words of its parameters and of its result. */
typedef struct {
  char name[16];
  uint8_t params;
  uint8_t results;
} export_shape;

/** In the order of the table. */
enum {
  CONFIG_ADDRESS,
  SPARE_END,
  FREE_ADDRESS,
  CODEC_CONFIGURE,
  CODEC_SET_CHANNEL,
  CODEC_RESET,
  ENCODE_BEGIN,
  ENCODE_ROWS,
  ENCODE_END,
  STATE_HASH,
  LINK_FLUSH,
  LINK_SAMPLE,
  LINK_BEGIN,
  LINK_CHANNEL,
  LINK_DESCRIBE,
  LINK_MEMORY,
  LINK_OPEN,
  LINK_RESTORE,
  LINK_RECEIVE,
  LINK_CONNECTED,
  LINK_DISCONNECTED,
  LINK_POLL,
  LINK_WAKE_MS,
  LINK_DIRTY_CLEAR,
  LINK_VIEW
};

static const export_shape EXPORTS[INTERPRETED_FUNCTIONS] = {
    [CONFIG_ADDRESS] = {"configAddress", 0, 1},
    [SPARE_END] = {"spareEnd", 0, 1},
    [FREE_ADDRESS] = {"freeAddress", 0, 1},
    [CODEC_CONFIGURE] = {"codecConfigure", 1, 1},
    [CODEC_SET_CHANNEL] = {"codecSetChannel", 4, 1},
    [CODEC_RESET] = {"codecReset", 0, 0},
    [ENCODE_BEGIN] = {"encodeBegin", 3, 0},
    [ENCODE_ROWS] = {"encodeRows", 3, 1},
    [ENCODE_END] = {"encodeEnd", 0, 1},
    [STATE_HASH] = {"stateHash", 0, 1},
    [LINK_FLUSH] = {"linkFlush", 3, 1},
    [LINK_SAMPLE] = {"linkSample", 5, 1},
    [LINK_BEGIN] = {"linkBegin", 4, 1},
    [LINK_CHANNEL] = {"linkChannel", 14, 1},
    [LINK_DESCRIBE] = {"linkDescribe", 9, 1},
    [LINK_MEMORY] = {"linkMemory", 5, 1},
    [LINK_OPEN] = {"linkOpen", 3, 1},
    [LINK_RESTORE] = {"linkRestore", 2, 1},
    [LINK_RECEIVE] = {"linkReceive", 3, 1},
    [LINK_CONNECTED] = {"linkConnected", 1, 0},
    [LINK_DISCONNECTED] = {"linkDisconnected", 0, 0},
    [LINK_POLL] = {"linkPoll", 3, 1},
    [LINK_WAKE_MS] = {"linkWakeMs", 1, 1},
    [LINK_DIRTY_CLEAR] = {"linkDirtyClear", 0, 0},
    [LINK_VIEW] = {"linkView", 0, 1},
};

static const interpreted_module *lent;
static uint32_t stopped;

void interpreted_core_lend(const interpreted_module *module) {
  lent = module;
}

uint32_t interpreted_core_stopped(void) {
  return stopped;
}

/** Find every export, of the words that it is called with: the interpreter trusts those. @returns whether all are there */
static bool find_exports(w2c_core *core) {
  const index_header *header = core->vm.index;
  const index_record *records = (const index_record *)(const void *)((const uint8_t *)core->vm.index + header->records);
  for (uint32_t i = 0; i < INTERPRETED_FUNCTIONS; i++) {
    const int32_t number = interpreter_find(&core->vm, INTERPRETER_FUNCTION, EXPORTS[i].name);
    if (number < 0) return false;
    if (records[number].params != EXPORTS[i].params || records[number].results != EXPORTS[i].results) return false;
    core->functions[i] = (uint16_t)number;
  }
  return true;
}

interpreter_code interpreted_core_start(w2c_core *core) {
  const index_header *header = lent->index;
  memset(&core->vm, 0, sizeof core->vm);
  wasm_rt_allocate_memory(&core->w2c_memory, header->pages, header->pages, false, 65536);
  core->vm.module = lent->module;
  core->vm.module_bytes = lent->module_bytes;
  core->vm.index = lent->index;
  core->vm.memory = core->w2c_memory.data;
  core->vm.memory_bytes = core->w2c_memory.size;
  core->vm.stack = core->stack;
  core->vm.stack_words = INTERPRETED_STACK_WORDS;
  const interpreter_code code = interpreter_start(&core->vm);
  if (code != INTERPRETER_OK) return code;
  return find_exports(core) ? INTERPRETER_OK : INTERPRETER_BAD_INDEX;
}

void wasm2c_core_instantiate(w2c_core *core) {
  const interpreter_code code = interpreted_core_start(core);
  stopped = (uint32_t)code << 16;
  if (code != INTERPRETER_OK) wasm_rt_trap(WASM_RT_TRAP_NOT_LENT);
}

static u32 call(w2c_core *core, uint32_t which, const u32 *args) {
  u32 results[2];
  core->vm.memory_bytes = core->w2c_memory.size; /* of which the caller may have set a part apart while it was zeroed */
  const interpreter_code code = interpreter_call(&core->vm, core->functions[which], args, results, INTERPRETED_GAS);
  stopped = (uint32_t)code << 16 | core->vm.stopped_at;
  if (code != INTERPRETER_OK) wasm_rt_trap((wasm_rt_trap_t)code);
  return results[0];
}

wasm_rt_memory_t *w2c_core_memory(w2c_core *core) {
  return &core->w2c_memory;
}

u32 w2c_core_configAddress(w2c_core *core) {
  return call(core, CONFIG_ADDRESS, NULL);
}

u32 w2c_core_spareEnd(w2c_core *core) {
  return call(core, SPARE_END, NULL);
}

u32 w2c_core_freeAddress(w2c_core *core) {
  return call(core, FREE_ADDRESS, NULL);
}

u32 w2c_core_codecConfigure(w2c_core *core, u32 channels) {
  return call(core, CODEC_CONFIGURE, &channels);
}

u32 w2c_core_codecSetChannel(w2c_core *core, u32 channel, u32 e, u32 lattice, u32 history_shift) {
  const u32 args[] = {channel, e, lattice, history_shift};
  return call(core, CODEC_SET_CHANNEL, args);
}

void w2c_core_codecReset(w2c_core *core) {
  call(core, CODEC_RESET, NULL);
}

void w2c_core_encodeBegin(w2c_core *core, u32 has_events, u32 out, u32 capacity) {
  const u32 args[] = {has_events, out, capacity};
  call(core, ENCODE_BEGIN, args);
}

u32 w2c_core_encodeRows(w2c_core *core, u32 samples, u32 statuses, u32 count) {
  const u32 args[] = {samples, statuses, count};
  return call(core, ENCODE_ROWS, args);
}

u32 w2c_core_encodeEnd(w2c_core *core) {
  return call(core, ENCODE_END, NULL);
}

u32 w2c_core_stateHash(w2c_core *core) {
  return call(core, STATE_HASH, NULL);
}

u32 w2c_core_linkFlush(w2c_core *core, u64 time_us, u32 now_ms) {
  const u32 args[] = {(u32)time_us, (u32)(time_us >> 32), now_ms};
  return call(core, LINK_FLUSH, args);
}

u32 w2c_core_linkSample(w2c_core *core, u32 samples, u32 statuses, u64 time_us, u32 now_ms) {
  const u32 args[] = {samples, statuses, (u32)time_us, (u32)(time_us >> 32), now_ms};
  return call(core, LINK_SAMPLE, args);
}

u32 w2c_core_linkBegin(w2c_core *core, u32 channels, u32 frame_samples, u32 silence_ms, u32 mtu) {
  const u32 args[] = {channels, frame_samples, silence_ms, mtu};
  return call(core, LINK_BEGIN, args);
}

u32 w2c_core_linkChannel(w2c_core *core, u32 name, u32 name_bytes, u32 unit, u32 unit_bytes, u32 e, u32 lattice,
                         u32 history_shift, u64 offset, u32 mantissa, u32 exponent, u64 eps_mantissa, u32 eps_exponent) {
  const u32 args[] = {name,          name_bytes,          unit,     unit_bytes, e,
                      lattice,       history_shift,       (u32)offset, (u32)(offset >> 32), mantissa,
                      exponent, (u32)eps_mantissa, (u32)(eps_mantissa >> 32), eps_exponent};
  return call(core, LINK_CHANNEL, args);
}

u32 w2c_core_linkDescribe(w2c_core *core, u32 birth, u32 room, u32 device, u32 device_bytes, u64 period_ns, u32 model,
                          u32 firmware, u32 firmware_bytes) {
  const u32 args[] = {birth, room,     device,         device_bytes, (u32)period_ns, (u32)(period_ns >> 32),
                      model, firmware, firmware_bytes};
  return call(core, LINK_DESCRIBE, args);
}

u32 w2c_core_linkMemory(w2c_core *core, u32 ring, u32 ring_bytes, u32 out, u32 out_bytes, u32 message_bytes) {
  const u32 args[] = {ring, ring_bytes, out, out_bytes, message_bytes};
  return call(core, LINK_MEMORY, args);
}

u32 w2c_core_linkOpen(w2c_core *core, u32 nonce, u32 epoch, u32 now_ms) {
  const u32 args[] = {nonce, epoch, now_ms};
  return call(core, LINK_OPEN, args);
}

u32 w2c_core_linkRestore(w2c_core *core, u32 nonce, u32 now_ms) {
  const u32 args[] = {nonce, now_ms};
  return call(core, LINK_RESTORE, args);
}

u32 w2c_core_linkReceive(w2c_core *core, u32 message, u32 length, u32 now_ms) {
  const u32 args[] = {message, length, now_ms};
  return call(core, LINK_RECEIVE, args);
}

void w2c_core_linkConnected(w2c_core *core, u32 now_ms) {
  call(core, LINK_CONNECTED, &now_ms);
}

void w2c_core_linkDisconnected(w2c_core *core) {
  call(core, LINK_DISCONNECTED, NULL);
}

u32 w2c_core_linkPoll(w2c_core *core, u64 time_us, u32 now_ms) {
  const u32 args[] = {(u32)time_us, (u32)(time_us >> 32), now_ms};
  return call(core, LINK_POLL, args);
}

u32 w2c_core_linkWakeMs(w2c_core *core, u32 now_ms) {
  return call(core, LINK_WAKE_MS, &now_ms);
}

void w2c_core_linkDirtyClear(w2c_core *core) {
  call(core, LINK_DIRTY_CLEAR, NULL);
}

u32 w2c_core_linkView(w2c_core *core) {
  return call(core, LINK_VIEW, NULL);
}
