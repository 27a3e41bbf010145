#include "serial-framing.h"

/** The longest group; its code byte stands for no zero. */
#define GROUP_MAX 254u
#define CODE_FULL 255u
#define CHECKSUM_BYTES 2u
#define CHECKSUM_START 0xffffu
/** What is left after a frame and its complemented checksum, whatever the frame. */
#define CHECKSUM_RESIDUE 0x1d0fu

/** CRC-16 with x^16 + x^12 + x^5 + 1: eight steps of the division at once, without a table. */
static uint16_t checksum_of(uint16_t checksum, uint8_t byte) {
  uint32_t x = (uint32_t)(checksum >> 8) ^ byte;
  x ^= x >> 4;
  return (uint16_t)(((uint32_t)checksum << 8) ^ (x << 12) ^ (x << 5) ^ x);
}

/** Bytes before the next zero, GROUP_MAX at most. */
static uint32_t group_of(const uint8_t *bytes, uint32_t length) {
  const uint32_t most = length < GROUP_MAX ? length : GROUP_MAX;
  uint32_t group = 0;
  /* cppcheck-suppress knownConditionTrueFalse ; so it is for the one caller that has nothing left */
  while (group < most && bytes[group] != 0) group++;
  return group;
}

static bool put_all(serial_put put, void *line, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    if (!put(line, bytes[i])) return false;
  }
  return true;
}

bool serial_write(const uint8_t *frame, uint32_t length, serial_put put, void *line) {
  if (length == 0 || length > SERIAL_FRAME_MAX) return false;
  uint16_t checksum = CHECKSUM_START;
  for (uint32_t i = 0; i < length; i++) checksum = checksum_of(checksum, frame[i]);
  const uint8_t tail[CHECKSUM_BYTES] = {(uint8_t)(~checksum >> 8), (uint8_t)~checksum};
  const uint32_t end = length + CHECKSUM_BYTES;
  uint32_t at = 0;
  bool has_more = true;
  while (has_more) {
    /* A group is of the frame, of the checksum behind it, or goes over from one to the other. */
    const uint32_t in_frame = at < length ? at : length;
    const uint32_t of_frame = group_of(frame + in_frame, length - in_frame);
    const uint32_t from = at + of_frame < length ? CHECKSUM_BYTES : at + of_frame - length;
    uint32_t of_tail = group_of(tail + from, CHECKSUM_BYTES - from);
    if (of_tail > GROUP_MAX - of_frame) of_tail = GROUP_MAX - of_frame;
    const uint32_t group = of_frame + of_tail;
    if (!put(line, (uint8_t)(group + 1)) || !put_all(put, line, frame + in_frame, of_frame) ||
        !put_all(put, line, tail + from, of_tail)) {
      return false;
    }
    at += group;
    has_more = at < end;
    /* The code stood for the zero, which may be the last byte: then an empty group follows. */
    if (has_more && group < GROUP_MAX) at++;
  }
  return put(line, 0);
}

/** Ready for the next piece. */
static void restart(serial_reader *reader) {
  reader->length = 0;
  reader->checksum = CHECKSUM_START;
  reader->left = 0;
  reader->is_begun = false;
  reader->owes_zero = false;
  reader->is_too_long = false;
}

void serial_reader_begin(serial_reader *reader, uint8_t *bytes, uint32_t capacity) {
  reader->bytes = bytes;
  reader->capacity = capacity;
  restart(reader);
}

static void keep(serial_reader *reader, uint8_t byte) {
  if (reader->length == reader->capacity) {
    reader->is_too_long = true;
    return;
  }
  reader->bytes[reader->length++] = byte;
  reader->checksum = checksum_of(reader->checksum, byte);
}

/** A zero has ended the piece. */
static int32_t end_piece(const serial_reader *reader) {
  if (!reader->is_begun) return 0;
  if (reader->is_too_long) return SERIAL_TOO_LONG;
  if (reader->left > 0) return SERIAL_CUT_SHORT;
  if (reader->length <= CHECKSUM_BYTES) return SERIAL_TOO_SHORT;
  if (reader->checksum != CHECKSUM_RESIDUE) return SERIAL_BAD_CHECKSUM;
  return (int32_t)(reader->length - CHECKSUM_BYTES);
}

int32_t serial_reader_push(serial_reader *reader, uint8_t byte) {
  if (byte == 0) {
    const int32_t found = end_piece(reader);
    restart(reader);
    return found;
  }
  reader->is_begun = true;
  if (reader->is_too_long) return 0;
  if (reader->left > 0) {
    reader->left--;
    keep(reader, byte);
    return 0;
  }
  if (reader->owes_zero) keep(reader, 0);
  reader->left = (uint8_t)(byte - 1u);
  reader->owes_zero = byte < CODE_FULL;
  return 0;
}
