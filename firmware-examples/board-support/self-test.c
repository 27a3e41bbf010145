#include "self-test.h"

#include "little-endian.h"
#include "sha256.h"

/** Bound of every channel, sample units. */
#define BOUND 64

/** @see Austin Appleby, MurmurHash3_x86_32, 2011; of the two words t and c */
static uint32_t hash_of(uint32_t seed, uint32_t t, uint32_t c) {
  uint32_t h = seed;
  for (uint32_t i = 0; i < 2; i++) {
    uint32_t k = (i == 0 ? t : c) * 0xcc9e2d51u;
    k = (k << 15 | k >> 17) * 0x1b873593u;
    h ^= k;
    h = (h << 13 | h >> 19) * 5 + 0xe6546b64u;
  }
  h = (h ^ 8u);
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/** Encode all rows as one frame. @returns payload bytes at `out`, or below 1 */
static int32_t encode(edge_core *core, const boot_test *test, edge_address samples, edge_address out, uint32_t bytes) {
  const uint32_t channels = test->channels;
  uint8_t *row = edge_bytes(core, samples, 4 * channels);
  if (row == NULL || out > bytes) return 0;
  edge_codec_reset(core);
  edge_encode_begin(core, 0, out, (int32_t)(bytes - out));
  for (uint32_t t = 0; t < test->samples; t++) {
    for (uint32_t c = 0; c < channels; c++) {
      store32(row + 4 * c, (uint32_t)((int32_t)hash_of(test->seed, t, c) >> (12 + (t & 3u) * 4)));
    }
    if (edge_encode_rows(core, samples, 0, 1) != 1) return 0;
  }
  return edge_encode_end(core);
}

bool self_test_passes(edge_core *core, const boot_test *test, uint32_t bytes) {
  sha256 hash;
  uint8_t last[4];
  uint8_t digest[SHA256_BYTES];
  if (edge_codec_configure(core, test->channels) < 0) return false;
  for (int32_t c = 0; c < test->channels; c++) {
    if (edge_codec_set_channel(core, c, BOUND, 1, 0) < 0) return false;
  }
  const edge_address samples = edge_free_address(core);
  const edge_address out = samples + 4u * test->channels;
  const int32_t length = encode(core, test, samples, out, bytes);
  if (length <= 0) return false;
  const uint8_t *payload = edge_bytes(core, out, (uint32_t)length);
  if (payload == NULL) return false; /* a wrong module says any length */
  sha256_begin(&hash);
  sha256_more(&hash, payload, (uint32_t)length);
  store32(last, edge_state_hash(core));
  sha256_more(&hash, last, sizeof last);
  sha256_end(&hash, digest);
  return memcmp(digest, test->digest, SHA256_BYTES) == 0;
}
