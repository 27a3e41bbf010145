#include "json-line.h"

#include "board.h"

static void put_text(const char *text) {
  uint32_t length = 0;
  while (text[length] != '\0') length++;
  board_write((const uint8_t *)text, length);
}

static void put_name(const char *before, const char *name) {
  put_text(before);
  put_text(name);
  put_text("\":");
}

void json_begin(const char *name, const char *text) {
  put_name("{\"", name);
  put_text("\"");
  put_text(text);
  put_text("\"");
}

void json_number(const char *name, uint32_t value) {
  char digits[11];
  char *first = digits + sizeof digits - 1;
  *first = '\0';
  do {
    *--first = (char)('0' + value % 10u);
    value /= 10u;
  } while (value > 0);
  put_name(",\"", name);
  put_text(first);
}

void json_hex(const char *name, uint64_t value, uint32_t digits) {
  put_name(",\"", name);
  put_text("\"");
  for (uint32_t i = digits; i > 0; i--) board_write((const uint8_t *)"0123456789abcdef" + (value >> 4 * (i - 1) & 15), 1);
  put_text("\"");
}

void json_end(void) {
  put_text("}\n");
}
