/*
 * Encodes three signals of 10,000 samples of six channels, decodes them on the same board, and says what came of it: a line
 * of JSON for each. Every board must say what bit-identity.ts says of Node's WebAssembly.
 */
#include "board.h"
#include "edge_core.h"
#include "json-line.h"
#include "three-signals.h"

enum { FRAMES = 100, PAYLOAD_BYTES = 16384, MEMORY_BYTES = 32768, SAMPLES_IN_FRAME = FRAME_ROWS * SIGNAL_CHANNELS };

/** One end of the codec, with its room for a frame. */
typedef struct {
  edge_core core;
  edge_address samples;
  edge_address statuses;
  edge_address payload;
} codec_end;

/** What one signal came to. */
typedef struct {
  uint64_t payload_hash; /* of each frame's length, u32 little-endian, and bytes */
  uint64_t decoded_hash; /* of each frame's i32 little-endian, then u8 statuses */
  uint32_t payload_bytes;
  uint32_t state_hash;  /* of the encoder at the end */
  uint32_t unequal;     /* frames after which the two states differed */
  uint32_t over_bound;  /* samples with status ok that are further off than their bound */
  uint32_t max_error;   /* of samples with status ok in channel 0 */
} signal_result;

static uint8_t encoder_memory[MEMORY_BYTES] __attribute__((aligned(8)));
static uint8_t decoder_memory[MEMORY_BYTES] __attribute__((aligned(8)));
static codec_end encoder;
static codec_end decoder;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  board_trap((uint32_t)reason);
}

static int32_t expect(int32_t status) {
  if (status < 0) board_exit(-status);
  return status;
}

/** FNV-1a of 64 bits. @see Fowler, Noll and Vo, "The FNV Non-Cryptographic Hash Algorithm", draft-eastlake-fnv */
static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

static const uint64_t HASH_START = 0xcbf29ce484222325u;

static void begin_end(codec_end *end, uint8_t *memory, const signal_bound *bounds) {
  edge_start(&end->core, memory, MEMORY_BYTES);
  expect(edge_codec_configure(&end->core, SIGNAL_CHANNELS));
  for (int32_t c = 0; c < SIGNAL_CHANNELS; c++) {
    expect(edge_codec_set_channel(&end->core, c, bounds[c].e, bounds[c].lattice, bounds[c].history_shift));
  }
  edge_codec_reset(&end->core);
  end->samples = edge_free_address(&end->core);
  end->statuses = end->samples + 4 * SAMPLES_IN_FRAME;
  end->payload = end->statuses + SAMPLES_IN_FRAME;
}

static uint8_t *bytes_of(codec_end *end, edge_address at, uint32_t length) {
  return edge_bytes(&end->core, at, length);
}

static uint32_t encode_frame(signal_source *source, bool has_events) {
  for (uint32_t row = 0; row < FRAME_ROWS; row++) {
    int32_t samples[SIGNAL_CHANNELS];
    uint8_t statuses[SIGNAL_CHANNELS];
    signal_next(source, samples, statuses);
    const edge_address first = row * SIGNAL_CHANNELS;
    memcpy(bytes_of(&encoder, encoder.samples + 4 * first, sizeof samples), samples, sizeof samples);
    memcpy(bytes_of(&encoder, encoder.statuses + first, sizeof statuses), statuses, sizeof statuses);
  }
  edge_encode_begin(&encoder.core, has_events, encoder.payload, PAYLOAD_BYTES);
  const int32_t rows = edge_encode_rows(&encoder.core, encoder.samples, has_events ? encoder.statuses : 0, FRAME_ROWS);
  if (expect(rows) != FRAME_ROWS) board_exit(50);
  return (uint32_t)expect(edge_encode_end(&encoder.core));
}

static void decode_frame(bool has_events, uint32_t length) {
  memcpy(bytes_of(&decoder, decoder.payload, length), bytes_of(&encoder, encoder.payload, length), length);
  const uint32_t flags = has_events ? EDGE_FRAME_EVENTS : 0;
  expect(edge_decode_begin(&decoder.core, flags, FRAME_ROWS, decoder.payload, (int32_t)length));
  if (expect(edge_decode_rows(&decoder.core, decoder.samples, decoder.statuses, FRAME_ROWS)) != FRAME_ROWS) board_exit(51);
  expect(edge_decode_end(&decoder.core));
}

static void compare(signal_result *result, const signal_bound *bounds) {
  for (uint32_t i = 0; i < SAMPLES_IN_FRAME; i++) {
    int32_t given;
    int32_t decoded;
    memcpy(&given, bytes_of(&encoder, encoder.samples + 4 * i, 4), 4);
    memcpy(&decoded, bytes_of(&decoder, decoder.samples + 4 * i, 4), 4);
    if (*bytes_of(&decoder, decoder.statuses + i, 1) != EDGE_SAMPLE_OK) continue;
    const uint32_t error = given > decoded ? (uint32_t)given - (uint32_t)decoded : (uint32_t)decoded - (uint32_t)given;
    if (error > (uint32_t)bounds[i % SIGNAL_CHANNELS].e) result->over_bound++;
    if (i % SIGNAL_CHANNELS == 0 && error > result->max_error) result->max_error = error;
  }
}

static void take_frame(signal_result *result, bool has_events, uint32_t length) {
  const uint8_t prefix[4] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16), (uint8_t)(length >> 24)};
  result->payload_hash = hash_bytes(result->payload_hash, prefix, 4);
  result->payload_hash = hash_bytes(result->payload_hash, bytes_of(&encoder, encoder.payload, length), length);
  result->payload_bytes += length;
  decode_frame(has_events, length);
  const uint32_t samples_bytes = 4 * SAMPLES_IN_FRAME;
  result->decoded_hash =
      hash_bytes(result->decoded_hash, bytes_of(&decoder, decoder.samples, samples_bytes), samples_bytes);
  result->decoded_hash =
      hash_bytes(result->decoded_hash, bytes_of(&decoder, decoder.statuses, SAMPLES_IN_FRAME), SAMPLES_IN_FRAME);
  if (edge_state_hash(&encoder.core) != edge_state_hash(&decoder.core)) result->unequal++;
}

static signal_result run_signal(int32_t which) {
  const signal_bound *bounds = SIGNAL_BOUNDS[which];
  signal_result result = {HASH_START, HASH_START, 0, 0, 0, 0, 0};
  signal_source source;
  signal_begin(&source, which);
  begin_end(&encoder, encoder_memory, bounds);
  begin_end(&decoder, decoder_memory, bounds);
  for (uint32_t frame = 0; frame < FRAMES; frame++) {
    const bool has_events = signal_has_events(frame);
    take_frame(&result, has_events, encode_frame(&source, has_events));
    compare(&result, bounds);
  }
  result.state_hash = edge_state_hash(&encoder.core);
  return result;
}

static void tell(int32_t which, const signal_result *result) {
  json_begin("signal", SIGNAL_NAMES[which]);
  json_number("payloadBytes", result->payload_bytes);
  json_hex("payloadHash", result->payload_hash, 16);
  json_hex("stateHash", result->state_hash, 8);
  json_hex("decodedHash", result->decoded_hash, 16);
  json_number("unequalStates", result->unequal);
  json_number("overBound", result->over_bound);
  json_number("maxError", result->max_error);
  json_end();
}

int main(void) {
  board_start();
  for (int32_t which = 0; which < SIGNAL_COUNT; which++) {
    const signal_result result = run_signal(which);
    tell(which, &result);
  }
  return 0;
}
