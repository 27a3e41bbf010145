#include "three-signals.h"

#include "edge_core.h"

/** Every that many frames one with events. */
#define EVENT_FRAMES 4u

enum { ROTOR, WALK, BURSTS };

const char *const SIGNAL_NAMES[SIGNAL_COUNT] = {"rotor", "walk", "bursts"};

const signal_bound SIGNAL_BOUNDS[SIGNAL_COUNT][SIGNAL_CHANNELS] = {
    {{8388, 1, 2}, {8388, 1, 2}, {8388, 1, 2}, {8388, 1, 2}, {8388, 1, 2}, {8388, 1, 2}},
    {{8388, 1, 3}, {8388, 1, 3}, {65536, 1, 0}, {100, 1, 9}, {120, 50, 8}, {0, 1, 17}},
    {{8388, 1, 11}, {8388, 1, 11}, {8388, 1, 11}, {8388, 1, 11}, {8388, 1, 11}, {8388, 1, 11}},
};

/** Cosine and sine of what a vector turns by in one sample, times 2^30, rounded. */
static const int32_t TURNS[SIGNAL_VECTORS][2] = {{880090358, 615111752}, {1057713849, 184832133}, {1072808400, 44762059}};

static uint32_t next_noise(signal_source *source) {
  uint32_t noise = source->noise;
  noise ^= noise << 13;
  noise ^= noise >> 17;
  noise ^= noise << 5;
  source->noise = noise;
  return noise;
}

/** Uniform over -2^(bits - 1) .. 2^(bits - 1) - 1; bits 1..31. */
static int32_t symmetric_noise(signal_source *source, uint32_t bits) {
  return (int32_t)(next_noise(source) >> (32u - bits)) - (int32_t)(1u << (bits - 1u));
}

void signal_begin(signal_source *source, int32_t which) {
  source->which = which;
  source->row = 0;
  source->noise = 20261u + (uint32_t)which;
  for (int32_t k = 0; k < SIGNAL_VECTORS; k++) {
    source->x[k] = 1 << 22;
    source->y[k] = 0;
  }
  for (int32_t c = 0; c < SIGNAL_CHANNELS; c++) source->level[c] = 1000000 * (c + 1);
}

bool signal_has_events(uint32_t frame) {
  return frame % EVENT_FRAMES == EVENT_FRAMES - 1u;
}

/** Round a sum of Q30 products, its shift being that of a floor. */
static int32_t from_q30(int64_t sum) {
  const int64_t biased = sum + (1 << 29) + ((int64_t)1 << 60);
  return (int32_t)((int64_t)((uint64_t)biased >> 30) - (1 << 30));
}

static void turn(signal_source *source) {
  for (int32_t k = 0; k < SIGNAL_VECTORS; k++) {
    const int64_t cosine = TURNS[k][0];
    const int64_t sine = TURNS[k][1];
    const int32_t x = source->x[k];
    const int32_t y = source->y[k];
    source->x[k] = from_q30(cosine * x - sine * y);
    source->y[k] = from_q30(sine * x + cosine * y);
  }
}

static int32_t rotor_sample(signal_source *source, int32_t c) {
  const int32_t *part = c % 2 == 0 ? source->x : source->y;
  return part[c / 2] + symmetric_noise(source, 15);
}

static int32_t walk_sample(signal_source *source, int32_t c) {
  source->level[c] += symmetric_noise(source, 16);
  return c == 4 ? source->level[c] / 64 * 50 : source->level[c];
}

static int32_t bursts_sample(signal_source *source, int32_t c) {
  const uint32_t of_thousand = source->row % 1000u;
  const int32_t small = symmetric_noise(source, 10);
  const int32_t large = symmetric_noise(source, 28);
  if (of_thousand == 100u + 37u * (uint32_t)c) return INT32_MAX;
  if (of_thousand == 400u + 37u * (uint32_t)c) return INT32_MIN;
  if (of_thousand >= 700u && of_thousand < 710u) return INT32_MAX;
  return source->level[c] + (source->row % 512u >= 448u ? large : small);
}

static int32_t next_sample(signal_source *source, int32_t c) {
  switch (source->which) {
    case ROTOR: return rotor_sample(source, c);
    case WALK: return walk_sample(source, c);
    default: return bursts_sample(source, c);
  }
}

static uint8_t status_of(signal_source *source, int32_t sample) {
  const bool is_invalid = next_noise(source) >> 26 == 0;
  if (sample == INT32_MAX || sample == INT32_MIN) return EDGE_SAMPLE_SATURATED;
  return is_invalid ? EDGE_SAMPLE_INVALID : EDGE_SAMPLE_OK;
}

void signal_next(signal_source *source, int32_t *samples, uint8_t *statuses) {
  const bool has_events = signal_has_events(source->row / FRAME_ROWS);
  if (source->which == ROTOR) turn(source);
  for (int32_t c = 0; c < SIGNAL_CHANNELS; c++) {
    samples[c] = next_sample(source, c);
    statuses[c] = has_events ? status_of(source, samples[c]) : EDGE_SAMPLE_OK;
  }
  source->row++;
}
