/*
 * A device with its ring on the simulated flash, driven over standard input and output by flash-rig.ts. Little-endian.
 *
 *     request  u8 what, u32 a, u32 b, u32 length, bytes         answer  u32 length, i32 status, u32 is off, u32 operations, bytes
 *
 *     N  new chip: a its sectors, b 0 or a seed for garbage; u32 sector bytes, unit, ring bytes, out bytes, frame samples
 *     C  power fails at the a-th operation from now (NEVER: not), b seeds what is half done
 *     B  boot with nonce a: answers as flash_ring_open
 *     S  take and save a samples: answers how many frames they closed
 *     R  hear a message and save; F flush and save
 *     P  everything to send: bytes are u32 length and message, each
 *     T  tidy until nothing is left to do, a steps at most
 *     D  the ring's bytes; Z how many frames are in it
 *     X  flip the bits b at address a
 *     G  from the next boot on, a frame has a samples: another configuration
 *     Q  u32 each: violations, epoch, damaged, samples taken, current sector's id, spares, erases of every sector
 *     K  keep all of this; L go back to what was kept
 *
 * After a power failure everything but B, G, X, Q, C, L is answered as off. A sample's value is its number since the chip
 * was new, so that what arrives tells what is missing.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash-ring.h"
#include "simulated-flash.h"

#define MEMORY_BYTES 32768u
#define ANSWER_BYTES_MAX 65536u
#define CHANNELS 2

/** All there is, so that it can be kept and gone back to. */
static struct {
  simulated_flash chip;
  flash geometry;
  flash_ring kept;
  device sensor;
  uint32_t plan[3]; /* ring bytes, out bytes, frame samples */
  uint32_t samples;
  uint32_t now_ms;
  bool is_on;
} state, snapshot;
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(8)));
static uint8_t memory_snapshot[MEMORY_BYTES];
static uint8_t answer[ANSWER_BYTES_MAX];
static uint32_t answer_bytes;
static jmp_buf power;

static void fail(const char *what) {
  fprintf(stderr, "flash-ring-host: %s\n", what);
  exit(1);
}

void wasm_rt_trap(wasm_rt_trap_t reason) {
  fprintf(stderr, "flash-ring-host: trap %d\n", (int)reason);
  exit(100 + (int)reason);
}

static void power_failed(void) {
  longjmp(power, 1);
}

static void put(const void *bytes, uint32_t length) {
  if (length > ANSWER_BYTES_MAX - answer_bytes) fail("an answer is too long");
  memcpy(answer + answer_bytes, bytes, length);
  answer_bytes += length;
}

static void put_u32(uint32_t value) {
  put(&value, sizeof value);
}

static uint32_t all_erases(void) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < state.chip.sectors; i++) sum += state.chip.erases[i];
  return sum;
}

/** Save alone, which may take no time for an erase. */
static int32_t save_once(void) {
  const uint32_t before = all_erases();
  const int32_t status = flash_ring_save(&state.kept, &state.sensor);
  if (all_erases() != before) fail("a save has erased a sector");
  return status;
}

/** One step of tidying, which must be what was announced. */
static int32_t tidy_once(void) {
  const uint32_t before = all_erases();
  const bool is_erase = flash_ring_tidy_due(&state.kept) == FLASH_TIDY_ERASE;
  const int32_t status = flash_ring_tidy(&state.kept, &state.sensor);
  if (is_erase != (all_erases() != before)) fail("an erase was not announced, or did not come");
  return status;
}

/** Save, making room first where that is needed, as a device does. */
static int32_t save(void) {
  int32_t status = save_once();
  if (status != FLASH_LOG_NO_ROOM) return status;
  do status = tidy_once();
  while (status > 0);
  return status < 0 ? status : save_once();
}

static int64_t time_us(void) {
  return (int64_t)state.now_ms * 1000;
}

static int32_t boot(uint32_t nonce) {
  static const uint8_t model[32] = {7};
  const device_channel channels[CHANNELS] = {{"t", "", 0, 1, 8, 0, 1, 0, 0, 0}, {"noise", "", 0, 1, 8, 0, 1, 0, 0, 0}};
  const device_plan plan = {
      .name = "kept-1",
      .firmware = "",
      .model = model,
      .channels = channels,
      .channel_count = CHANNELS,
      .frame_samples = (int32_t)state.plan[2],
      .silence_ms = 60000,
      .ring_bytes = (int32_t)state.plan[0],
      .out_bytes = (int32_t)state.plan[1],
      .period_ns = 1000000,
  };
  int32_t status = device_begin(&state.sensor, &plan, memory, MEMORY_BYTES);
  if (status < 0) return status;
  state.is_on = true;
  status = flash_ring_open(&state.kept, &state.geometry, &state.sensor, nonce, state.now_ms);
  if (status >= 0) edge_link_connected(&state.sensor.core, state.now_ms);
  return status;
}

static int32_t take_samples(uint32_t count) {
  int32_t frames = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t t = state.samples++;
    const uint32_t mixed = (t ^ t << 7) * 2654435761u;
    const int32_t row[CHANNELS] = {(int32_t)t, (int32_t)((mixed ^ mixed >> 15) * 2246822519u >> 20)};
    state.now_ms += 1;
    int32_t status = device_sample(&state.sensor, row, NULL, time_us(), state.now_ms);
    if (status < 0) return status;
    frames += status;
    status = save();
    if (status < 0) return status;
  }
  return frames;
}

static int32_t hear(const uint8_t *message, uint32_t length) {
  const int32_t kind = device_receive(&state.sensor, message, length, state.now_ms);
  const int32_t status = save();
  return status < 0 ? status : kind;
}

static int32_t send_all(void) {
  const uint8_t *message = NULL;
  int32_t length = 0;
  while ((length = device_poll(&state.sensor, &message, time_us(), state.now_ms)) > 0) {
    const int32_t status = save();
    if (status < 0) return status;
    put_u32((uint32_t)length);
    put(message, (uint32_t)length);
  }
  return length;
}

static int32_t tidy(uint32_t steps) {
  int32_t status = flash_ring_tidy_due(&state.kept);
  for (; status > 0 && steps > 0; steps--) status = tidy_once();
  return status;
}

static int32_t flush(void) {
  const int32_t frames = edge_link_flush(&state.sensor.core, time_us(), state.now_ms);
  const int32_t status = save();
  return status < 0 ? status : frames;
}

static int32_t new_chip(uint32_t sectors, uint32_t garbage, const uint8_t *request) {
  uint32_t n[5];
  memcpy(n, request, sizeof n);
  memset(&state, 0, sizeof state);
  if (sectors > SIMULATED_SECTORS_MAX || n[0] > SIMULATED_BYTES_MAX / sectors) fail("the chip is too large");
  simulated_begin(&state.chip, sectors, n[0], n[1], garbage);
  state.geometry = simulated_chip(&state.chip);
  memcpy(state.plan, n + 2, sizeof state.plan);
  return 0;
}

static int32_t tell(void) {
  put_u32(state.chip.violations);
  put_u32(state.is_on ? edge_link_epoch(&state.sensor.core) : 0);
  put_u32(state.kept.damaged);
  put_u32(state.samples);
  put_u32(state.kept.log.current);
  put_u32(state.kept.log.spares);
  put(state.chip.erases, 4 * state.chip.sectors);
  return 0;
}

static int32_t dump(void) {
  put(device_ring(&state.sensor), state.sensor.ring_bytes);
  return 0;
}

static int32_t step(int what, uint32_t a, uint32_t b, const uint8_t *bytes, uint32_t length) {
  switch (what) {
    case 'N': return new_chip(a, b, bytes);
    case 'B': return boot(a);
    case 'Q': return tell();
    case 'G': state.plan[2] = a; return 0;
    case 'X': state.chip.bytes[a] ^= (uint8_t)b; return 0;
    case 'C':
      state.chip.cut_at = a == NEVER ? NEVER : state.chip.operations + a;
      if (b != 0) state.chip.chance = b;
      return 0;
    case 'K':
      snapshot = state;
      memcpy(memory_snapshot, memory, sizeof memory);
      return 0;
    case 'L':
      state = snapshot;
      memcpy(memory, memory_snapshot, sizeof memory);
      return 0;
    default: break;
  }
  if (!state.is_on) return 0;
  switch (what) {
    case 'S': return take_samples(a);
    case 'R': return hear(bytes, length);
    case 'F': return flush();
    case 'P': return send_all();
    case 'T': return tidy(a);
    case 'D': return dump();
    case 'Z': return (int32_t)edge_link_unconfirmed_frames(&state.sensor.core);
    default: fail("no such request"); return 0;
  }
}

static bool get(void *bytes, size_t length) {
  return length == 0 || fread(bytes, length, 1, stdin) == 1;
}

int main(void) {
  static uint8_t bytes[1024];
  simulated_power_failed = power_failed;
  for (;;) {
    uint8_t what = 0;
    uint32_t numbers[3];
    volatile int32_t status = 0;
    if (!get(&what, 1)) return 0;
    if (!get(numbers, sizeof numbers) || numbers[2] > sizeof bytes || !get(bytes, numbers[2])) fail("half a request");
    answer_bytes = 0;
    if (setjmp(power) == 0) status = step(what, numbers[0], numbers[1], bytes, numbers[2]);
    else {
      state.is_on = false;
      state.chip.cut_at = NEVER;
    }
    const uint32_t start[4] = {12 + answer_bytes, (uint32_t)status, state.is_on ? 0 : 1, state.chip.operations};
    if (fwrite(start, sizeof start, 1, stdout) != 1 || fwrite(answer, 1, answer_bytes, stdout) != answer_bytes) return 1;
    fflush(stdout);
  }
}
