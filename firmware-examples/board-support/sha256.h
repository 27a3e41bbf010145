/* SHA-256 of bytes where they lie. @see FIPS 180-4, section 6.2 */
#ifndef SHA256_H
#define SHA256_H

#include <stdint.h>

#define SHA256_BYTES 32u

typedef struct {
  uint32_t state[8];
  uint32_t length; /* hashed so far, bytes: less than 2^29 */
  uint8_t block[64];
} sha256;

void sha256_begin(sha256 *self);
void sha256_more(sha256 *self, const uint8_t *bytes, uint32_t length);
void sha256_end(sha256 *self, uint8_t digest[SHA256_BYTES]);

#endif
