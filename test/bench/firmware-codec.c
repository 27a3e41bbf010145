/*
 * The codec's encoder alone.
 *
 *     samples  one sample of six channels, with the frame's begin or end where it falls due
 *     rows, begins, ends  the three by themselves
 */
#include "edge_core.h"
#include "firmware-subject.h"
#include "json-line.h"

/** The payload goes where the caller has room, a ring or a radio's buffer; it is none of the codec's. */
enum { PAYLOAD_BYTES = 4096, ROWS = TALLY_SAMPLES + 1, BEGINS, ENDS };

static struct {
  edge_core core;
  edge_address samples;
  edge_address statuses;
  edge_address payload;
  uint32_t payload_bytes;
  int32_t history_shift; /* the largest */
  tally tallies[TALLY_COUNT];
} self;

void subject_start(void) {
}

void subject_begin(int32_t which) {
  const signal_bound *bounds = SIGNAL_BOUNDS[which];
  edge_start(&self.core, NULL, WASM_RT_MEMORY_BYTES);
  self.history_shift = 0;
  expect(edge_codec_configure(&self.core, SIGNAL_CHANNELS));
  for (int32_t c = 0; c < SIGNAL_CHANNELS; c++) {
    expect(edge_codec_set_channel(&self.core, c, bounds[c].e, bounds[c].lattice, bounds[c].history_shift));
    if (bounds[c].history_shift > self.history_shift) self.history_shift = bounds[c].history_shift;
  }
  edge_codec_reset(&self.core);
  self.samples = edge_free_address(&self.core);
  self.statuses = self.samples + 4 * SIGNAL_CHANNELS;
  self.payload = (self.statuses + SIGNAL_CHANNELS + 7u) & ~7u;
  self.payload_bytes = 0;
  memset(self.tallies, 0, sizeof self.tallies);
}

static uint32_t begin_frame(bool has_events) {
  const board_count start = tally_start();
  edge_encode_begin(&self.core, has_events, self.payload, PAYLOAD_BYTES);
  const uint32_t instructions = tally_stop(start);
  tally_add(&self.tallies[BEGINS], instructions);
  return instructions;
}

static uint32_t encode_row(bool has_events) {
  const board_count start = tally_start();
  const int32_t rows = edge_encode_rows(&self.core, self.samples, has_events ? self.statuses : 0, 1);
  const uint32_t instructions = tally_stop(start);
  expect(rows);
  tally_add(&self.tallies[ROWS], instructions);
  return instructions;
}

static uint32_t end_frame(void) {
  const board_count start = tally_start();
  const int32_t length = edge_encode_end(&self.core);
  const uint32_t instructions = tally_stop(start);
  self.payload_bytes += (uint32_t)expect(length);
  tally_add(&self.tallies[ENDS], instructions);
  return instructions;
}

void subject_row(uint32_t row, const int32_t *samples, const uint8_t *statuses) {
  const bool has_events = signal_has_events(row / FRAME_ROWS);
  memcpy(edge_bytes(&self.core, self.samples, 4 * SIGNAL_CHANNELS), samples, 4 * SIGNAL_CHANNELS);
  memcpy(edge_bytes(&self.core, self.statuses, SIGNAL_CHANNELS), statuses, SIGNAL_CHANNELS);
  uint32_t instructions = 0;
  if (row % FRAME_ROWS == 0) instructions += begin_frame(has_events);
  instructions += encode_row(has_events);
  if (row % FRAME_ROWS == FRAME_ROWS - 1u) instructions += end_frame();
  tally_add(&self.tallies[TALLY_SAMPLES], instructions);
}

void subject_tell(void) {
  tally_tell(&self.tallies[TALLY_SAMPLES], "samples");
  tally_tell(&self.tallies[ROWS], "rows");
  tally_tell(&self.tallies[BEGINS], "begins");
  tally_tell(&self.tallies[ENDS], "ends");
  json_number("producedBytes", self.payload_bytes);
  json_number("historyShift", (uint32_t)self.history_shift);
  json_number("belowStateBytes", edge_state_address(&self.core));
  json_number("memoryBytes", self.payload);
  json_number("instanceBytes", sizeof self.core - WASM_RT_MEMORY_BYTES);
}

uint8_t *subject_bytes(uint32_t *length) {
  *length = sizeof self;
  return (uint8_t *)&self;
}
