/*
 * heatshrink's encoder in place of the codec, in firmware-measure.c: the samples of a row go in as they lie in memory, and
 * what it has to give is taken at once.
 *
 *     samples, rows  one sample of six channels
 */
#include "heatshrink-subject.h"

#include <string.h>

#include "firmware-subject.h"
#include "heatshrink_encoder.h"
#include "json-line.h"

enum { ROWS = TALLY_SAMPLES + 1, OUT_BYTES = 32 };

static struct {
  heatshrink_encoder encoder;
  uint32_t produced_bytes;
  tally tallies[TALLY_COUNT];
} self;

void subject_start(void) {
}

void subject_begin(int32_t which) {
  (void)which;
  heatshrink_encoder_reset(&self.encoder);
  self.produced_bytes = 0;
  for (uint32_t i = 0; i < TALLY_COUNT; i++) self.tallies[i] = (tally){0, 0, 0, 0};
}

/** Take what there is. */
static void poll_all(void) {
  uint8_t out[OUT_BYTES];
  size_t length = 0;
  HSE_poll_res more = HSER_POLL_MORE;
  while (more == HSER_POLL_MORE) {
    more = heatshrink_encoder_poll(&self.encoder, out, sizeof out, &length);
    self.produced_bytes += (uint32_t)length;
  }
}

void subject_row(uint32_t row, const int32_t *samples, const uint8_t *statuses) {
  uint8_t bytes[4 * SIGNAL_CHANNELS];
  (void)row;
  (void)statuses;
  memcpy(bytes, samples, sizeof bytes);
  const board_count start = tally_start();
  for (size_t at = 0; at < sizeof bytes;) {
    size_t taken = 0;
    heatshrink_encoder_sink(&self.encoder, bytes + at, sizeof bytes - at, &taken);
    at += taken;
    poll_all();
  }
  const uint32_t instructions = tally_stop(start);
  tally_add(&self.tallies[TALLY_SAMPLES], instructions);
  tally_add(&self.tallies[ROWS], instructions);
}

void subject_tell(void) {
  while (heatshrink_encoder_finish(&self.encoder) == HSER_FINISH_MORE) poll_all();
  tally_tell(&self.tallies[TALLY_SAMPLES], "samples");
  tally_tell(&self.tallies[ROWS], "rows");
  json_number("producedBytes", self.produced_bytes);
  json_number("stateBytes", sizeof self.encoder);
  json_number("belowStateBytes", 0);
  json_number("memoryBytes", sizeof self.encoder);
  json_number("instanceBytes", 0);
}

uint8_t *subject_bytes(uint32_t *length) {
  *length = sizeof self;
  return (uint8_t *)&self;
}
