#include "firmware-tally.h"

#include "json-line.h"

enum { NAME_BYTES = 24 };

/* No inlining into each other: a trace looks for both by their addresses. */
#define OUT_OF_LINE __attribute__((noinline))

static uint32_t own_instructions;

void tally_calibrate(void) {
  own_instructions = 0;
  own_instructions = tally_stop(tally_start());
}

OUT_OF_LINE board_count tally_start(void) {
  return board_counter();
}

OUT_OF_LINE uint32_t tally_stop(board_count start) {
  const board_count now = board_counter();
  return board_instructions(start, now) - own_instructions;
}

void tally_add(tally *into, uint32_t instructions) {
  if (instructions > into->max || into->count == 0) {
    into->max = instructions;
    into->max_at = into->count;
  }
  into->sum += instructions;
  into->count++;
}

static void tell_one(const char *name, const char *what, uint32_t value) {
  char whole[NAME_BYTES];
  uint32_t length = 0;
  for (; *name != '\0' && length < NAME_BYTES - 1; name++) whole[length++] = *name;
  for (; *what != '\0' && length < NAME_BYTES - 1; what++) whole[length++] = *what;
  whole[length] = '\0';
  json_number(whole, value);
}

void tally_tell(const tally *of, const char *name) {
  tell_one(name, "Count", of->count);
  tell_one(name, "Sum", of->sum);
  tell_one(name, "Max", of->max);
  tell_one(name, "MaxAt", of->max_at);
}
