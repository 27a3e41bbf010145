#include "sealed-link.h"

/** The seal's header, a byte string of four or of twelve, and its bytes with the checksum. */
enum { PLAIN_HEADER = 0x44, SEALED_HEADER = 0x4c, PLAIN_SEAL_BYTES = 5 };

void sealed_link_begin(sealed_link *self, const uint8_t *key, const char *name, uint32_t nonce) {
  int32_t name_bytes = 0;
  mac_start(&self->core, self->memory, sizeof self->memory);
  memcpy(mac_link_key(&self->core), key, MAC_LINK_KEY_BYTES);
  while (name_bytes < MAC_PIECE_BYTES && name[name_bytes] != '\0') {
    mac_piece(&self->core)[name_bytes] = (uint8_t)name[name_bytes];
    name_bytes++;
  }
  mac_boot(&self->core, nonce, name_bytes);
}

/** Take bytes into the code, as many at once as fit. */
static void take(sealed_link *self, const uint8_t *bytes, uint32_t length) {
  while (length > 0) {
    const uint32_t piece = length < MAC_PIECE_BYTES ? length : MAC_PIECE_BYTES;
    memcpy(mac_piece(&self->core), bytes, piece);
    mac_update(&self->core, (int32_t)piece);
    bytes += piece;
    length -= piece;
  }
}

void sealed_link_seal(sealed_link *self, byte_span *parts, uint32_t count) {
  byte_span *const last = &parts[count - 1];
  memcpy(self->seal, last->bytes, PLAIN_SEAL_BYTES);
  self->seal[0] = SEALED_HEADER;
  mac_begin(&self->core, MAC_UP);
  for (const byte_span *part = parts; part < last; part++) take(self, part->bytes, part->length);
  take(self, self->seal, PLAIN_SEAL_BYTES);
  mac_finish(&self->core, MAC_UP);
  memcpy(self->seal + PLAIN_SEAL_BYTES, mac_code(&self->core), MAC_BYTES);
  *last = (byte_span){self->seal, sizeof self->seal};
}

uint32_t sealed_link_open(sealed_link *self, uint8_t *message, uint32_t length) {
  if (length <= PLAIN_SEAL_BYTES + MAC_BYTES) return 0;
  const uint32_t plain = length - MAC_BYTES;
  uint8_t *const header = message + plain - PLAIN_SEAL_BYTES;
  if (*header != SEALED_HEADER) return 0;
  mac_begin(&self->core, MAC_DOWN);
  take(self, message, plain);
  memcpy(mac_piece(&self->core), message + plain, MAC_BYTES);
  if (!mac_matches(&self->core, MAC_DOWN)) return 0;
  *header = PLAIN_HEADER;
  return plain;
}
