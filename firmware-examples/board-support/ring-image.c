#include "ring-image.h"

#include <string.h>

#include "little-endian.h"

#define COPY_BYTES 48u
#define HEADER_CHECK 44u
#define MAGIC 0x3052534cu
#define KEYFRAME 1u

/* Fields of a record. */
#define KIND 2u
#define CHECK 4u
#define STATE_HASH 8u
#define EPOCH 28u
#define SEQ 32u
#define INDEX 36u

static uint32_t rotate(uint32_t value, uint32_t bits) {
  return value << bits | value >> (32u - bits);
}

/** MurmurHash3_x86_32 (Austin Appleby, 2011, public domain) of whole words; edge-sdk/assembly/hash.ts. */
static uint32_t hash_words(uint32_t seed, const uint8_t *bytes, uint32_t length) {
  uint32_t h = seed;
  for (uint32_t i = 0; i < length; i += 4) {
    h ^= rotate(load32(bytes + i) * 0xcc9e2d51u, 15) * 0x1b873593u;
    h = rotate(h, 13) * 5u + 0xe6546b64u;
  }
  h ^= length;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

uint32_t ring_capacity(uint32_t ring_bytes) {
  return (ring_bytes - RING_HEADERS_BYTES) & ~3u;
}

bool ring_read_header(const uint8_t *ring, ring_header *header) {
  const bool has_second = load32(ring + COPY_BYTES) == MAGIC;
  const bool is_second = has_second && (int32_t)(load32(ring + COPY_BYTES + 4) - load32(ring + 4)) > 0;
  const uint8_t *at = ring + (is_second ? COPY_BYTES : 0);
  if (load32(at) != MAGIC) return false;
  *header = (ring_header){load32(at + 8),  {load32(at + 12), load32(at + 16)}, load32(at + 24), load32(at + 28),
                          load32(at + 32), load32(at + 36),                    load32(at + 40)};
  return true;
}

void ring_write_header(uint8_t *ring, uint32_t ring_bytes, const ring_header *header) {
  const uint32_t words[] = {MAGIC,
                            1,
                            header->epoch,
                            header->birth[0],
                            header->birth[1],
                            ring_capacity(ring_bytes),
                            header->head,
                            header->head_index,
                            header->head_epoch,
                            header->head_seq,
                            header->wished};
  memset(ring, 0, RING_HEADERS_BYTES);
  for (uint32_t i = 0; i < sizeof words / sizeof *words; i++) store32(ring + 4 * i, words[i]);
  store32(ring + HEADER_CHECK, hash_words(0, ring, HEADER_CHECK));
}

uint32_t ring_resolve(const uint8_t *ring, uint32_t ring_bytes, uint32_t offset) {
  if (offset >= ring_capacity(ring_bytes)) return 0;
  return ring_record_bytes(ring + RING_HEADERS_BYTES + offset) == 0 ? 0 : offset;
}

uint32_t ring_record_bytes(const uint8_t *record) {
  return (uint32_t)record[0] | (uint32_t)record[1] << 8;
}

bool ring_is_keyframe(const uint8_t *record) {
  return record[KIND] == KEYFRAME;
}

uint32_t ring_record_epoch(const uint8_t *record) {
  return load32(record + EPOCH);
}

uint32_t ring_record_seq(const uint8_t *record) {
  return load32(record + SEQ);
}

void ring_name_keyframe(uint8_t *record, uint32_t epoch) {
  store32(record + EPOCH, epoch);
}

uint32_t ring_scratch(const uint8_t *record) {
  return load32(record + CHECK);
}

void ring_set_scratch(uint8_t *record, uint32_t value) {
  store32(record + CHECK, value);
}

void ring_seal(uint8_t *record, uint32_t index) {
  if (ring_is_keyframe(record)) store32(record + INDEX, index);
  const uint32_t seed = index * 0x9e3779b1u ^ load32(record);
  store32(record + CHECK, hash_words(seed, record + STATE_HASH, ring_record_bytes(record) - STATE_HASH));
}
