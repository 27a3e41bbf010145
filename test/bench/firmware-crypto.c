/*
 * Measures the cryptography of updates. Input, u32 little-endian: steps to take of a verification, length of the message;
 * then public key, signature and message as bytes. Answers a line of JSON with instructions and stack.
 *
 *     begin, step, end   of a verification of Ed25519
 *     hash, code, check  with WITH_HASHES: SHA-256, HMAC-SHA256 and CRC-32 of the message
 *
 * Without WITH_HASHES the program holds what a verification needs and nothing more, so that its flash can be told.
 */
#include "core.h"
#include "firmware-tally.h"
#include "json-line.h"

enum { KEY_BYTES = 32, SIGNATURE_BYTES = 64 };

static w2c_core core;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

static uint32_t read_u32(void) {
  uint8_t bytes[4];
  board_read(bytes, sizeof bytes);
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void read_into(uint32_t address, uint32_t length) {
  wasm_rt_memory_t *memory = w2c_core_memory(&core);
  if (address > memory->size || length > memory->size - address) board_exit(70);
  board_read(memory->data + address, length);
}

static void verify(uint32_t length, uint32_t steps) {
  tally each = {0};
  board_count start = tally_start();
  const bool is_begun = w2c_core_ed25519Begin(&core, length);
  json_number("begin", tally_stop(start));
  for (uint32_t bit = *w2c_core_ED25519_STEPS(&core); bit > 0 && steps > 0; steps--) {
    bit--;
    start = tally_start();
    w2c_core_ed25519Step(&core, bit);
    tally_add(&each, tally_stop(start));
  }
  tally_tell(&each, "step");
  start = tally_start();
  const bool is_taken = w2c_core_ed25519End(&core);
  json_number("end", tally_stop(start));
  json_number("isTaken", is_begun && is_taken);
}

#if WITH_HASHES
static void hash(uint32_t length) {
  /* First: the digest would lie over the code that is compared. */
  board_count start = tally_start();
  const bool is_right = w2c_core_verifyHmacSha256(&core, KEY_BYTES, length);
  json_number("code", tally_stop(start));
  json_number("isRight", is_right);
  start = tally_start();
  w2c_core_sha256Reset(&core);
  w2c_core_sha256Update(&core, length);
  w2c_core_sha256Finish(&core);
  json_number("hash", tally_stop(start));
  start = tally_start();
  w2c_core_crc32(&core, 0, length);
  json_number("check", tally_stop(start));
}
#endif

int main(void) {
  board_start();
  wasm_rt_lend_memory(NULL, WASM_RT_MEMORY_BYTES, WASM_RT_MEMORY_BYTES);
  wasm2c_core_instantiate(&core);
  const uint32_t steps = read_u32();
  const uint32_t length = read_u32();
  read_into(*w2c_core_KEY(&core), KEY_BYTES);
  read_into(*w2c_core_SIGNATURE(&core), SIGNATURE_BYTES);
  read_into(*w2c_core_MESSAGE(&core), length);
  tally_calibrate();
  json_begin("of", "crypto");
  verify(length, steps);
  json_number("scratchBytes", *w2c_core_ED25519_SCRATCH_BYTES(&core));
  json_number("stackBytes", board_stack_high_water());
#if WITH_HASHES
  hash(length);
  json_number("hashStateBytes", *w2c_core_SHA256_STATE_BYTES(&core));
  json_number("codeScratchBytes", *w2c_core_HMAC_SCRATCH_BYTES(&core));
#endif
  json_end();
  return 0;
}
