/* What all parts know of a module's bytes. */
#ifndef INTERPRETER_BINARY_FORMAT_H
#define INTERPRETER_BINARY_FORMAT_H

#include <stdint.h>

/** Read an unsigned number of up to 32 bits that was checked. @param at  moved behind it */
uint32_t leb_u32(const uint8_t **at);

/** Read a signed number of up to 64 bits that was checked; of one of 32 bits the low half is its value. */
uint64_t leb_s64(const uint8_t **at);

/** Logarithm of the bytes that a load or a store accesses, from I32_LOAD on. */
extern const uint8_t ACCESS_WIDTHS[];

#endif
