/* CRC-32 of IEEE 802.3 (ISO-HDLC), reflected: what is written to flash is checked by it. */
#ifndef CRC32_H
#define CRC32_H

#include <stdint.h>

/** Go on with a check, half a byte at a time, for a table of 64 bytes. @param crc  all ones at the start; its complement is the check */
uint32_t crc32_more(uint32_t crc, const uint8_t *bytes, uint32_t length);

#endif
