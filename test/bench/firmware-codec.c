/*
 * The codec's encoder alone, counted sample by sample over three signals of six channels: a line of JSON for each.
 *
 *     rows     one sample of six channels
 *     begins   a frame's begin
 *     ends     a frame's end
 *     samples  all of it, by the sample in which it falls due
 *
 * -DROWS=N takes N rows of each signal in place of 10,000.
 */
#include "edge_core.h"
#include "firmware-tally.h"
#include "json-line.h"
#include "three-signals.h"

#ifndef ROWS
#define ROWS 10000u
#endif
enum { PAYLOAD_BYTES = 8192 };

static edge_core core;
/** The output goes where the caller has room, a ring or a radio's buffer; it is none of the codec's. */
static uint8_t memory[16384] __attribute__((aligned(8)));
static uint32_t used_bytes;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

static int32_t expect(int32_t status) {
  if (status < 0) board_exit(-status);
  return status;
}

/** @returns where samples, statuses and then the payload have room */
static edge_address begin_codec(const signal_bound *bounds) {
  edge_start(&core, memory, sizeof memory);
  expect(edge_codec_configure(&core, SIGNAL_CHANNELS));
  for (int32_t c = 0; c < SIGNAL_CHANNELS; c++) {
    expect(edge_codec_set_channel(&core, c, bounds[c].e, bounds[c].lattice, bounds[c].history_shift));
  }
  edge_codec_reset(&core);
  return edge_free_address(&core);
}

static void run_signal(int32_t which) {
  tally rows = {0, 0, 0, 0};
  tally begins = {0, 0, 0, 0};
  tally ends = {0, 0, 0, 0};
  tally whole = {0, 0, 0, 0};
  uint32_t payload_bytes = 0;
  signal_source source;
  signal_begin(&source, which);
  const edge_address samples = begin_codec(SIGNAL_BOUNDS[which]);
  const edge_address statuses = samples + 4 * SIGNAL_CHANNELS;
  const edge_address payload = (statuses + SIGNAL_CHANNELS + 7u) & ~7u;
  used_bytes = payload;
  for (uint32_t row = 0; row < ROWS; row++) {
    const bool has_events = signal_has_events(row / FRAME_ROWS);
    int32_t values[SIGNAL_CHANNELS];
    signal_next(&source, values, edge_bytes(&core, statuses, SIGNAL_CHANNELS));
    memcpy(edge_bytes(&core, samples, sizeof values), values, sizeof values);
    uint32_t instructions = 0;
    if (row % FRAME_ROWS == 0) {
      const board_count from = board_counter();
      edge_encode_begin(&core, has_events, payload, PAYLOAD_BYTES);
      const uint32_t of_begin = tally_since(from);
      tally_add(&begins, of_begin);
      instructions += of_begin;
    }
    const board_count from = board_counter();
    const int32_t status = edge_encode_rows(&core, samples, has_events ? statuses : 0, 1);
    const uint32_t of_row = tally_since(from);
    expect(status);
    tally_add(&rows, of_row);
    instructions += of_row;
    if (row % FRAME_ROWS == FRAME_ROWS - 1u) {
      const board_count end_from = board_counter();
      const int32_t length = edge_encode_end(&core);
      const uint32_t of_end = tally_since(end_from);
      payload_bytes += (uint32_t)expect(length);
      tally_add(&ends, of_end);
      instructions += of_end;
    }
    tally_add(&whole, instructions);
  }
  const uint32_t stack_bytes = board_stack_high_water();
  json_begin("signal", SIGNAL_NAMES[which]);
  tally_tell(&whole, "samples");
  tally_tell(&rows, "rows");
  tally_tell(&begins, "begins");
  tally_tell(&ends, "ends");
  json_number("payloadBytes", payload_bytes);
  json_number("stackBytes", stack_bytes);
  json_number("stateBytes", (uint32_t)edge_state_bytes(&core, SIGNAL_CHANNELS));
  json_number("belowStateBytes", edge_state_address(&core));
  json_number("memoryBytes", used_bytes);
  json_number("instanceBytes", sizeof core);
  json_end();
}

int main(void) {
  board_start();
  tally_calibrate();
  for (int32_t which = 0; which < SIGNAL_COUNT; which++) run_signal(which);
  return 0;
}
