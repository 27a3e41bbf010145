/*
 * MACs on the line of a device that has a link key (protocol/SPEC.md, section 9): around the link, which knows nothing of them.
 *
 *     device_poll_parts ──▶ sealed_link_seal ──▶ serial_write_parts
 *     serial_reader_push ──▶ sealed_link_open ──▶ device_receive
 */
#ifndef SEALED_LINK_H
#define SEALED_LINK_H

#include "byte-span.h"
#include "mac_core.h"

/** Memory of the module: mac_memory_bytes(), which a test compares. */
#define SEALED_LINK_MEMORY_BYTES 400u
/** What a MAC adds to a message. */
#define SEALED_LINK_ADDED_BYTES MAC_BYTES

typedef struct {
  mac_core core;
  uint8_t memory[SEALED_LINK_MEMORY_BYTES] __attribute__((aligned(8)));
  uint8_t seal[5 + MAC_BYTES]; /* of the last message: header, checksum, MAC */
} sealed_link;

/**
 * Begin a boot.
 *
 * @param key    MAC_LINK_KEY_BYTES, as the cloud has them
 * @param name   the device's, 1..64 bytes
 * @param nonce  the link's
 */
void sealed_link_begin(sealed_link *self, const uint8_t *key, const char *name, uint32_t nonce);

/**
 * Seal a message to send.
 *
 * @param parts  its parts; the last one is its seal alone, and becomes the one with a MAC, valid until the next call
 */
void sealed_link_seal(sealed_link *self, byte_span *parts, uint32_t count);

/**
 * Open a message that was heard, in place.
 *
 * @returns its length without the MAC; 0: it has none, or not the right one, and is not to be heard
 */
uint32_t sealed_link_open(sealed_link *self, uint8_t *message, uint32_t length);

#endif
