/*
 * MACs on a link in C: `mac.wasm`, compiled by wasm2c under the module name `mac`, under C names and with their true types.
 *
 *     npx wasm2c mac.wasm -n mac -o mac.c       makes mac.c and mac.h, which this header stands on
 *
 * What a link with a key says and hears has a MAC (protocol/SPEC.md, section 9). A frame lies in the link's memory and is not
 * copied: its bytes go through mac_piece(), 64 at a time.
 *
 *     boot:     32 bytes to mac_link_key(), the device's name to mac_piece(), mac_boot(nonce)
 *     to send:  mac_begin(MAC_UP), every byte of the frame, its seal's header 44 as 4c ──▶ mac_finish: 8 bytes at mac_code()
 *     heard:    mac_begin(MAC_DOWN), every byte but the last 8 ──▶ those to mac_piece(), mac_matches
 *
 * Nothing here allocates, blocks or keeps a pointer of the caller's. sealed-link.c (firmware-examples/board-support) does it.
 */
#ifndef MAC_CORE_H
#define MAC_CORE_H

#include <stdbool.h>

#include "mac.h"

typedef w2c_mac mac_core;
typedef uint32_t mac_address;

#define MAC_LINK_KEY_BYTES 32
#define MAC_PIECE_BYTES 64
#define MAC_BYTES 8    /* of a MAC */
#define MAC_UP 0       /* what a device says */
#define MAC_DOWN 1     /* what it hears */
#define MAC_REFUSED (-1)

/** Start an instance in memory of the caller's, 8-byte aligned, of mac_memory_bytes() at least. */
static inline void mac_start(mac_core *core, uint8_t *memory, uint32_t bytes) {
  wasm_rt_lend_memory(memory, bytes, bytes);
  wasm2c_mac_instantiate(core);
}

static inline uint8_t *mac_bytes(mac_core *core, mac_address at) {
  return w2c_mac_memory(core)->data + at;
}

/** Bytes of memory that it needs. */
static inline uint32_t mac_memory_bytes(mac_core *core) { return *w2c_mac_MAC_MEMORY_BYTES(core); }
/** The link key. */
static inline uint8_t *mac_link_key(mac_core *core) { return mac_bytes(core, *w2c_mac_MAC_LINK_KEY(core)); }
/** A piece of a message, or a name. */
static inline uint8_t *mac_piece(mac_core *core) { return mac_bytes(core, *w2c_mac_MAC_PIECE(core)); }
/** The last code. */
static inline const uint8_t *mac_code(mac_core *core) { return mac_bytes(core, *w2c_mac_MAC_CODE(core)); }

/** Begin a boot, with the device's name in mac_piece(). @param name_length  1..64 */
static inline void mac_boot(mac_core *core, uint32_t nonce, int32_t name_length) {
  w2c_mac_macBoot(core, nonce, (uint32_t)name_length);
}
static inline void mac_begin(mac_core *core, int32_t direction) { w2c_mac_macBegin(core, (uint32_t)direction); }
/** @param length  of what is in mac_piece(), 0..64 */
static inline void mac_update(mac_core *core, int32_t length) { w2c_mac_macUpdate(core, (uint32_t)length); }
static inline void mac_finish(mac_core *core, int32_t direction) { w2c_mac_macFinish(core, (uint32_t)direction); }
/** @returns whether the MAC is the first 8 bytes of mac_piece() */
static inline bool mac_matches(mac_core *core, int32_t direction) {
  return w2c_mac_macMatches(core, (uint32_t)direction) != 0;
}

#endif
