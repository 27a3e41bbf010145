/*
 * One device's codec in C: what speed-native.ts compares Node with. Numbers are little-endian.
 *
 *     first    u32 each: configuration bytes, persistent state bytes, state bytes, channels, rows, rows of a frame;
 *              then the configuration, the cold state, and the samples, i32 (rows, channels)
 *     E        encode all of it from the cold state, frame by frame
 *     D        decode what the last E made, from the cold state
 *
 * E and D answer: u64 time by the clock, ns; u32 payload bytes; u32 state hash at the end. Samples and payloads are copied
 * into the module's memory and out of it, as any host does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

enum { PAGE_BYTES = 65536, BYTES_PER_SAMPLE = 8, SPARE_BYTES = 4096 };

/** What is encoded, and the places of its blocks in the module's memory. */
static struct {
  uint32_t config_bytes, persistent_bytes, state_bytes, channels, rows, frame_rows;
  uint8_t *config, *cold;
  int32_t *samples, *decoded;
  uint8_t **payloads;
  uint32_t *lengths;
  uint32_t frames;
  u32 cfg, st, rows_at, statuses_at, payload_at, payload_bytes;
} job;
static w2c_core core;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  fprintf(stderr, "trap %d\n", (int)reason);
  exit(100 + (int)reason);
}

static void get(void *bytes, size_t length) {
  if (fread(bytes, 1, length, stdin) != length) exit(3);
}

static void *room(size_t bytes) {
  void *found = malloc(bytes == 0 ? 1 : bytes);
  if (found == NULL) exit(4);
  return found;
}

static uint8_t *at(u32 address) {
  return w2c_core_memory(&core)->data + address;
}

static u32 aligned(u32 address) {
  return (address + 7u) & ~7u;
}

static void read_job(void) {
  uint32_t numbers[6];
  get(numbers, sizeof numbers);
  job.config_bytes = numbers[0];
  job.persistent_bytes = numbers[1];
  job.state_bytes = numbers[2];
  job.channels = numbers[3];
  job.rows = numbers[4];
  job.frame_rows = numbers[5];
  const size_t sample_bytes = sizeof(int32_t) * job.channels * job.rows;
  job.config = room(job.config_bytes);
  job.cold = room(job.persistent_bytes);
  job.samples = room(sample_bytes);
  job.decoded = room(sample_bytes);
  get(job.config, job.config_bytes);
  get(job.cold, job.persistent_bytes);
  get(job.samples, sample_bytes);
  job.frames = (job.rows + job.frame_rows - 1) / job.frame_rows;
  job.payloads = room(sizeof(uint8_t *) * job.frames);
  job.lengths = room(sizeof(uint32_t) * job.frames);
  const size_t most = (size_t)BYTES_PER_SAMPLE * job.channels * job.frame_rows + SPARE_BYTES;
  for (uint32_t i = 0; i < job.frames; i++) job.payloads[i] = room(most);
}

static void lay_out(void) {
  const u32 samples = job.channels * job.frame_rows;
  job.cfg = aligned(*w2c_core_0x5F_heap_base(&core));
  job.st = aligned(job.cfg + job.config_bytes);
  job.rows_at = aligned(job.st + job.state_bytes);
  job.statuses_at = job.rows_at + 4 * samples;
  job.payload_at = aligned(job.statuses_at + samples);
  job.payload_bytes = BYTES_PER_SAMPLE * samples + SPARE_BYTES;
  const u32 end = job.payload_at + job.payload_bytes;
  wasm_rt_grow_memory(w2c_core_memory(&core), end / PAGE_BYTES + 1);
  memcpy(at(job.cfg), job.config, job.config_bytes);
}

static uint32_t rows_of(uint32_t frame) {
  const uint32_t left = job.rows - frame * job.frame_rows;
  return left < job.frame_rows ? left : job.frame_rows;
}

static void encode_all(void) {
  for (uint32_t i = 0; i < job.frames; i++) {
    const uint32_t rows = rows_of(i);
    const size_t first = (size_t)i * job.frame_rows * job.channels;
    w2c_core_encodeBegin(&core, job.cfg, job.st, 0, job.payload_at, job.payload_bytes);
    memcpy(at(job.rows_at), job.samples + first, sizeof(int32_t) * rows * job.channels);
    if (w2c_core_encodeRows(&core, job.cfg, job.st, job.rows_at, 0, rows) != rows) exit(5);
    job.lengths[i] = w2c_core_encodeEnd(&core, job.cfg, job.st);
    memcpy(job.payloads[i], at(job.payload_at), job.lengths[i]);
  }
}

static void decode_all(void) {
  for (uint32_t i = 0; i < job.frames; i++) {
    const uint32_t rows = rows_of(i);
    const size_t first = (size_t)i * job.frame_rows * job.channels;
    memcpy(at(job.payload_at), job.payloads[i], job.lengths[i]);
    if (w2c_core_decodeBegin(&core, job.cfg, job.st, 0, rows, job.payload_at, job.lengths[i]) != 0) exit(8);
    if (w2c_core_decodeRows(&core, job.cfg, job.st, job.rows_at, job.statuses_at, rows) != rows) exit(6);
    if (w2c_core_decodeEnd(&core, job.cfg, job.st) != 0) exit(7);
    memcpy(job.decoded + first, at(job.rows_at), sizeof(int32_t) * rows * job.channels);
  }
}

static uint64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void answer(void (*work)(void)) {
  memcpy(at(job.st), job.cold, job.persistent_bytes);
  const uint64_t begun = clock_ns();
  work();
  const uint64_t ns = clock_ns() - begun;
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < job.frames; i++) bytes += job.lengths[i];
  const uint32_t hash = w2c_core_stateHash(&core, job.cfg, job.st);
  fwrite(&ns, sizeof ns, 1, stdout);
  fwrite(&bytes, sizeof bytes, 1, stdout);
  fwrite(&hash, sizeof hash, 1, stdout);
  fflush(stdout);
}

int main(void) {
  static uint8_t memory[256 * PAGE_BYTES] __attribute__((aligned(8)));
  wasm_rt_lend_memory(memory, PAGE_BYTES, sizeof memory);
  wasm2c_core_instantiate(&core);
  read_job();
  lay_out();
  for (int command = getchar(); command != EOF; command = getchar()) {
    if (command == 'E') answer(encode_all);
    else if (command == 'D') answer(decode_all);
    else return 2;
  }
  return 0;
}
