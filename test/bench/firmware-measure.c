/*
 * Measures a subject, sample by sample, over three signals of six channels. Input, u32 little-endian: what to do, the
 * subject's own part of the input, then
 *
 *     0 count    rows of each signal            answers a line of JSON for each signal
 *     1 keep     signal, row                    answers signal and subject as they are before that row, as bytes
 *     2 resume   row, those bytes               takes that row alone
 *
 * With 2 a trace of one row far into a signal is short.
 */
#include "edge_core.h"
#include "firmware-subject.h"
#include "json-line.h"

enum { COUNT, KEEP, RESUME };

static signal_source source;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

uint32_t read_u32(void) {
  uint8_t bytes[4];
  board_read(bytes, sizeof bytes);
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void begin(int32_t which) {
  if (which < 0 || which >= SIGNAL_COUNT) board_exit(70);
  signal_begin(&source, which);
  subject_begin(which);
}

/** The row is the driver's, as a sensor fills it: no part of the device's stack. */
static void take_rows(uint32_t from, uint32_t to) {
  static int32_t samples[SIGNAL_CHANNELS];
  static uint8_t statuses[SIGNAL_CHANNELS];
  for (uint32_t row = from; row < to; row++) {
    signal_next(&source, samples, statuses);
    subject_row(row, samples, statuses);
  }
}

static void count_all(uint32_t rows) {
  tally_calibrate();
  for (int32_t which = 0; which < SIGNAL_COUNT; which++) {
    begin(which);
    take_rows(0, rows);
    const uint32_t stack_bytes = board_stack_high_water();
    json_begin("signal", SIGNAL_NAMES[which]);
    json_number("stackBytes", stack_bytes);
    subject_tell();
    json_end();
  }
}

int main(void) {
  board_start();
  const uint32_t what = read_u32();
  uint32_t length = 0;
  uint8_t *const subject = subject_bytes(&length);
  subject_start();
  const uint32_t first = read_u32();
  if (what == COUNT) count_all(first);
  if (what == KEEP) {
    begin((int32_t)first);
    take_rows(0, read_u32());
    board_write((const uint8_t *)&source, sizeof source);
    board_write(subject, length);
  }
  if (what == RESUME) {
    board_read((uint8_t *)&source, sizeof source);
    board_read(subject, length);
    take_rows(first, first + 1);
  }
  return 0;
}
