#include <string.h>

#include "checker.h"
#include "binary-format.h"
#include "opcodes.h"

enum { TYPE = 1, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, SECTIONS_END };
enum { HEAD_BYTES = 8, FUNCTION_FORM = 0x60, EXPORT_KINDS = 4, EXPORT_TABLE = 1 };
enum { MODULE_MAX = 65535, WORK_MAX = 65535, FUNCTIONS_MAX = 1023, ITEMS_MAX = 255, GLOBAL_WORDS_MAX = 128 };
#define PAGES_MAX 65536u

static const uint8_t HEAD[HEAD_BYTES] = {0, 'a', 's', 'm', 1, 0, 0, 0};

void check_fail(checker *c, interpreter_code code) {
  if (check_has_failed(c)) return;
  c->error.code = code;
  c->error.at = c->at;
  c->end = 0;
}

uint32_t check_byte(checker *c) {
  if (c->at < c->end) return c->given->module[c->at++];
  check_fail(c, INTERPRETER_TRUNCATED);
  return 0;
}

uint32_t check_small(checker *c) {
  const uint32_t byte = check_byte(c);
  if (byte >= 0x80u) check_fail(c, INTERPRETER_PADDED_NUMBER);
  return byte;
}

uint32_t check_u32(checker *c) {
  uint32_t value = 0;
  for (uint32_t shift = 0; shift < 35; shift += 7) {
    const uint32_t byte = check_byte(c);
    value |= (byte & 0x7fu) << shift;
    if (byte < 0x80u && (shift < 28 || byte < 16)) return value;
  }
  check_fail(c, INTERPRETER_BAD_NUMBER);
  return 0;
}

void check_signed(checker *c, uint32_t bits) {
  for (uint32_t left = bits;; left -= 7) {
    const uint32_t byte = check_byte(c);
    if (left > 7) {
      if (byte < 0x80u) return;
      continue;
    }
    /* The last one: what does not fit repeats the sign. */
    const uint32_t sign = 0x7fu & ~0u << (left - 1);
    const uint32_t high = byte & (0x80u | sign);
    if (high != 0 && high != sign) check_fail(c, INTERPRETER_BAD_NUMBER);
    return;
  }
}

uint32_t check_value_type(checker *c) {
  switch (check_byte(c)) {
    case 0x7f: return 1;
    case 0x7e: return 2;
    case 0x7d:
    case 0x7c: check_fail(c, INTERPRETER_HAS_FLOAT); return 1;
    case 0x7b: check_fail(c, INTERPRETER_HAS_SIMD); return 1;
    default: check_fail(c, INTERPRETER_UNKNOWN_TYPE); return 1;
  }
}

void check_put(checker *c, uint32_t at, const void *bytes, uint32_t length) {
  if (!check_has_failed(c) && !c->given->put(c->given->context, at, bytes, length)) {
    check_fail(c, INTERPRETER_INDEX_REFUSED);
  }
}

const uint8_t *check_signature(const checker *c, uint32_t function) {
  const uint8_t *number = c->given->module + c->function_types;
  while (function-- > 0) leb_u32(&number);
  const uint8_t *type = c->given->module + c->types;
  for (uint32_t i = leb_u32(&number); i > 0; i--) {
    type += 2 + type[1];
    type += 1 + type[0];
  }
  return type + 1;
}

/** How many items follow. */
static uint32_t count_of(checker *c, uint32_t most, interpreter_code code) {
  const uint32_t count = check_u32(c);
  if (count <= most) return count;
  check_fail(c, code);
  return 0;
}

static void check_types(checker *c) {
  c->type_count = count_of(c, ITEMS_MAX, INTERPRETER_TOO_MANY_ITEMS);
  c->types = c->at;
  for (uint32_t i = 0; i < c->type_count; i++) {
    if (check_byte(c) != FUNCTION_FORM) check_fail(c, INTERPRETER_UNKNOWN_TYPE);
    for (uint32_t params = check_small(c); params > 0; params--) check_value_type(c);
    const uint32_t results = check_small(c);
    if (results > 1) check_fail(c, INTERPRETER_UNKNOWN_TYPE);
    if (results == 1) check_value_type(c);
  }
}

static void check_functions(checker *c) {
  const uint32_t count = count_of(c, FUNCTIONS_MAX, INTERPRETER_TOO_MANY_ITEMS);
  c->header.functions = (uint16_t)count;
  c->function_types = c->at;
  for (uint32_t i = 0; i < count; i++) {
    if (check_u32(c) >= c->type_count) check_fail(c, INTERPRETER_BAD_INDEX);
  }
}

static void check_memories(checker *c) {
  if (count_of(c, 1, INTERPRETER_MEMORY_KIND) == 0) return;
  const uint32_t flags = check_byte(c);
  const uint32_t least = check_u32(c);
  if (flags > 1) check_fail(c, INTERPRETER_MEMORY_KIND);
  const uint32_t most = flags == 1 ? check_u32(c) : PAGES_MAX;
  if (least > most || most > PAGES_MAX) check_fail(c, INTERPRETER_BAD_LIMITS);
  if (least == 0) check_fail(c, INTERPRETER_MEMORY_KIND);
  if (c->given->memory_bytes < 8) check_fail(c, INTERPRETER_MEMORY_TOO_SMALL);
  c->header.pages = (uint16_t)(least < MODULE_MAX ? least : MODULE_MAX);
}

/** A constant of the type and the end. */
static void check_constant(checker *c, uint32_t words) {
  if (check_byte(c) != (words == 1 ? OP_I32_CONST : OP_I64_CONST)) check_fail(c, INTERPRETER_UNKNOWN_CONSTANT);
  check_signed(c, 32 * words);
  if (check_byte(c) != OP_END) check_fail(c, INTERPRETER_UNKNOWN_CONSTANT);
}

static void check_globals(checker *c) {
  const uint32_t count = count_of(c, GLOBAL_WORDS_MAX, INTERPRETER_TOO_MANY_GLOBALS);
  if (count > c->work_end) {
    check_fail(c, INTERPRETER_WORK_TOO_SMALL);
    return;
  }
  c->globals = count;
  uint8_t piece[8] = {0};
  uint32_t words = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t type = check_value_type(c);
    const uint32_t is_mutable = check_byte(c);
    if (is_mutable > 1) check_fail(c, INTERPRETER_BAD_TYPE);
    check_constant(c, type);
    piece[i % 8] = (uint8_t)(type == 1 ? words : words | WIDE);
    c->work[i] = (uint16_t)(piece[i % 8] | (is_mutable != 0 ? GLOBAL_MUTABLE : 0));
    words += type;
    if (i % 8 == 7 || i == count - 1) check_put(c, INDEX_GLOBALS + (i & ~7u), piece, sizeof piece);
  }
  if (words > GLOBAL_WORDS_MAX) check_fail(c, INTERPRETER_TOO_MANY_GLOBALS);
  c->header.global_words = (uint16_t)words;
}

/** Pass over a name, and keep to ASCII. @returns where it begins; its length is behind it */
static uint32_t check_name(checker *c, uint32_t *length) {
  *length = check_u32(c);
  const uint32_t begin = c->at;
  for (uint32_t i = 0; i < *length && !check_has_failed(c); i++) {
    if (check_byte(c) >= 0x80u) check_fail(c, INTERPRETER_NAME_NOT_ASCII);
  }
  return begin;
}

/** A name that is not among the exports before it. @param exports  where the first one begins */
static void check_export_name(checker *c, uint32_t exports, uint32_t before) {
  const uint8_t *module = c->given->module;
  uint32_t length;
  const uint32_t name = check_name(c, &length);
  const uint8_t *other = module + exports;
  while (before-- > 0 && !check_has_failed(c)) {
    const uint32_t its_length = leb_u32(&other);
    if (its_length == length && memcmp(other, module + name, length) == 0) {
      check_fail(c, INTERPRETER_DUPLICATE_EXPORT);
    }
    other += its_length + 1;
    leb_u32(&other);
  }
}

static void check_exports(checker *c) {
  const uint32_t counts[EXPORT_KINDS] = {c->header.functions, 0, c->header.pages != 0, c->globals};
  const uint32_t count = count_of(c, ITEMS_MAX, INTERPRETER_TOO_MANY_ITEMS);
  const uint32_t exports = c->at;
  for (uint32_t i = 0; i < count; i++) {
    check_export_name(c, exports, i);
    const uint32_t kind = check_byte(c);
    const uint32_t number = check_u32(c);
    if (kind >= EXPORT_KINDS) check_fail(c, INTERPRETER_UNKNOWN_TYPE);
    else if (number >= counts[kind]) check_fail(c, INTERPRETER_BAD_INDEX);
  }
}

static void check_code(checker *c) {
  const uint32_t end = c->end;
  c->bodies = count_of(c, FUNCTIONS_MAX, INTERPRETER_TOO_MANY_ITEMS);
  if (c->bodies != c->header.functions) check_fail(c, INTERPRETER_BODY_COUNT);
  for (uint32_t i = 0; i < c->bodies && !check_has_failed(c); i++) {
    const uint32_t length = check_u32(c);
    if (length > end - c->at) check_fail(c, INTERPRETER_TRUNCATED);
    if (check_has_failed(c)) return;
    c->end = c->at + length;
    check_body(c, i);
    if (!check_has_failed(c)) c->end = end;
  }
}

static void check_data(checker *c) {
  const uint32_t count = check_u32(c);
  for (uint32_t i = 0; i < count && !check_has_failed(c); i++) {
    if (check_u32(c) != 0) check_fail(c, INTERPRETER_PASSIVE_DATA);
    const uint8_t *place = c->given->module + c->at + 1;
    check_constant(c, 1);
    const uint32_t length = check_u32(c);
    if (check_has_failed(c)) return;
    const uint32_t at = (uint32_t)leb_s64(&place);
    if (c->header.pages == 0) check_fail(c, INTERPRETER_BAD_INDEX);
    else if (length > c->end - c->at) check_fail(c, INTERPRETER_TRUNCATED);
    else if (at > c->given->memory_bytes || length > c->given->memory_bytes - at) check_fail(c, INTERPRETER_DATA_OUTSIDE);
    c->at += length;
  }
}

/** Nothing may be in it. */
static void check_none(checker *c, interpreter_code code) {
  if (check_u32(c) != 0) check_fail(c, code);
}

static void check_section(checker *c, uint32_t id) {
  uint32_t length;
  switch (id) {
    case 0:
      check_name(c, &length);
      if (!check_has_failed(c)) c->at = c->end;
      break;
    case TYPE: check_types(c); break;
    case IMPORT: check_none(c, INTERPRETER_HAS_IMPORT); break;
    case FUNCTION: check_functions(c); break;
    case TABLE:
    case ELEMENT: check_none(c, INTERPRETER_HAS_TABLE); break;
    case MEMORY: check_memories(c); break;
    case GLOBAL: check_globals(c); break;
    case EXPORT: check_exports(c); break;
    case START: check_fail(c, INTERPRETER_HAS_START); break;
    case CODE: check_code(c); break;
    case DATA: check_data(c); break;
    default: check_fail(c, INTERPRETER_UNKNOWN_SECTION); break;
  }
}

/** Where the records and the tables will be, once the globals are counted. */
static void place_index(checker *c) {
  c->header.records = (uint16_t)(INDEX_GLOBALS + ((c->globals + 7) & ~7u));
  c->header.tables = (uint16_t)(c->header.records + c->header.functions * sizeof(index_record));
}

static void check_sections(checker *c, uint32_t module_end) {
  uint32_t last = 0;
  while (c->at < module_end && !check_has_failed(c)) {
    const uint32_t id = check_byte(c);
    const uint32_t length = check_u32(c);
    if (id != 0 && id <= last) check_fail(c, INTERPRETER_BAD_SECTION);
    if (length > c->end - c->at) check_fail(c, INTERPRETER_TRUNCATED);
    if (check_has_failed(c)) return;
    if (id != 0) last = id;
    if (id == CODE) place_index(c);
    c->end = c->at + length;
    check_section(c, id);
    if (c->at != c->end) check_fail(c, INTERPRETER_BAD_SECTION);
    if (!check_has_failed(c)) c->end = module_end;
  }
}

interpreter_result interpreter_check(const interpreter_checking *given) {
  checker c;
  memset(&c, 0, sizeof c);
  c.given = given;
  c.work = given->work;
  c.end = given->module_bytes;
  c.work_end = given->work_halfwords < WORK_MAX ? given->work_halfwords : WORK_MAX;
  c.header.magic = INDEX_MAGIC;
  c.header.version = INDEX_VERSION;
  c.header.module_bytes = (uint16_t)given->module_bytes;
  if (given->module_bytes > MODULE_MAX) check_fail(&c, INTERPRETER_MODULE_TOO_LONG);
  else if (given->module_bytes < HEAD_BYTES || memcmp(given->module, HEAD, HEAD_BYTES) != 0) {
    check_fail(&c, INTERPRETER_BAD_HEADER);
  }
  c.at = HEAD_BYTES;
  check_sections(&c, given->module_bytes);
  if (c.bodies != c.header.functions) check_fail(&c, INTERPRETER_BODY_COUNT);
  if (c.header.tables == 0) place_index(&c);
  check_put(&c, 0, &c.header, sizeof c.header);
  if (c.error.code == INTERPRETER_OK) c.error.at = c.header.tables + 2 * c.table;
  return c.error;
}
