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

/** A place in bytes that lie in parts. */
typedef struct {
  const uint8_t *at;
  const uint8_t *end;    /* of the part that it is in */
  const byte_span *next; /* the part after that */
} place;

/** Go on to the next part that is not empty. @returns whether there is one before `last` */
static bool turn(place *here, const byte_span *last) {
  while (here->at == here->end) {
    if (here->next == last) return false;
    here->at = here->next->bytes;
    here->end = here->at + here->next->length;
    here->next++;
  }
  return true;
}

/** Put bytes from a place on, of which there are as many before `last`. */
static bool put_group(place *from, const byte_span *last, uint32_t bytes, serial_put put, void *line) {
  while (bytes > 0 && turn(from, last)) {
    const uint32_t there = (uint32_t)(from->end - from->at);
    const uint32_t run = bytes < there ? bytes : there;
    const uint8_t *const end = from->at + run;
    while (from->at < end) {
      if (!put(line, *from->at++)) return false;
    }
    bytes -= run;
  }
  return true;
}

bool serial_write_parts(const byte_span *parts, uint32_t count, serial_put put, void *line) {
  byte_span all[SERIAL_PARTS_MAX + 1];
  uint8_t tail[CHECKSUM_BYTES];
  uint32_t length = 0;
  if (count > SERIAL_PARTS_MAX) return false;
  for (uint32_t i = 0; i < count; i++) {
    all[i] = parts[i];
    length += parts[i].length;
  }
  if (length == 0 || length > SERIAL_FRAME_MAX) return false;
  const byte_span *last = all + count; /* the checksum comes in once all before it was looked at */
  uint16_t checksum = CHECKSUM_START;
  place here = {tail, tail, all};
  place ahead = here;
  for (bool has_more = true; has_more;) {
    uint32_t group = 0;
    uint8_t byte = CODE_FULL;
    while (group < GROUP_MAX && byte != 0) {
      if (ahead.at == ahead.end && !turn(&ahead, last)) {
        if (last != all + count) break;
        tail[0] = (uint8_t)(~checksum >> 8);
        tail[1] = (uint8_t)~checksum;
        all[count] = (byte_span){tail, CHECKSUM_BYTES};
        last++;
        continue;
      }
      byte = *ahead.at++;
      checksum = checksum_of(checksum, byte);
      group++;
    }
    /* The code stands for the zero, which may be the last byte: then an empty group follows. */
    if (!put(line, (uint8_t)(byte == 0 ? group : group + 1))) return false;
    if (!put_group(&here, last, byte == 0 ? group - 1 : group, put, line)) return false;
    if (byte == 0 && turn(&here, last)) here.at++;
    has_more = byte == 0 || last == all + count || turn(&ahead, last);
  }
  return put(line, 0);
}

bool serial_write(const uint8_t *frame, uint32_t length, serial_put put, void *line) {
  const byte_span whole = {frame, length};
  return serial_write_parts(&whole, 1, put, line);
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
