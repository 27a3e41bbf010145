#include "sha256.h"

static uint32_t turn(uint32_t x, uint32_t by) {
  return x >> by | x << (32 - by);
}

/** The schedule is kept as a ring of sixteen words; names are the standard's. */
static void take_block(sha256 *self) {
  static const uint32_t K[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
      0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
      0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
      0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
      0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
      0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  uint32_t w[16];
  uint32_t s[8];
  for (uint32_t i = 0; i < 16; i++) {
    const uint8_t *at = self->block + 4 * i;
    w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  }
  for (uint32_t i = 0; i < 8; i++) s[i] = self->state[i];
  for (uint32_t t = 0; t < 64; t++) {
    uint32_t *now = &w[t & 15];
    if (t >= 16) {
      const uint32_t near = w[(t + 14) & 15];
      const uint32_t far = w[(t + 1) & 15];
      *now += (turn(near, 17) ^ turn(near, 19) ^ near >> 10) + w[(t + 9) & 15] + (turn(far, 7) ^ turn(far, 18) ^ far >> 3);
    }
    const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    const uint32_t t1 = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choice + K[t] + *now;
    const uint32_t t2 = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + majority;
    for (uint32_t i = 7; i > 0; i--) s[i] = s[i - 1];
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (uint32_t i = 0; i < 8; i++) self->state[i] += s[i];
}

void sha256_begin(sha256 *self) {
  static const uint32_t H[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (uint32_t i = 0; i < 8; i++) self->state[i] = H[i];
  self->length = 0;
}

void sha256_more(sha256 *self, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    self->block[self->length++ & 63u] = bytes[i];
    if ((self->length & 63u) == 0) take_block(self);
  }
}

void sha256_end(sha256 *self, uint8_t digest[SHA256_BYTES]) {
  static const uint8_t padding[1] = {0x80};
  static const uint8_t zero[1] = {0};
  const uint32_t length = self->length;
  uint8_t bits[8] = {0, 0, 0, (uint8_t)(length >> 29), (uint8_t)(length >> 21), (uint8_t)(length >> 13), (uint8_t)(length >> 5),
                     (uint8_t)(length << 3)};
  sha256_more(self, padding, 1);
  while ((self->length & 63u) != 56) sha256_more(self, zero, 1);
  sha256_more(self, bits, sizeof bits);
  for (uint32_t i = 0; i < SHA256_BYTES; i++) digest[i] = (uint8_t)(self->state[i >> 2] >> (24 - 8 * (i & 3)));
}
