/* A flat JSON object on one line, written as it comes. */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include <stdint.h>

/** Begin the object with a text; no character of it needs an escape. */
void json_begin(const char *name, const char *text);
void json_number(const char *name, uint32_t value);
/** A number as a text of so many hexadecimal digits. */
void json_hex(const char *name, uint64_t value, uint32_t digits);
void json_end(void);

#endif
