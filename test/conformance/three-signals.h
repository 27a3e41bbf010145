/*
 * Three signals of six channels in integer arithmetic: what the codec is compared on from board to board, and measured
 * with. three-signals.ts makes the same samples, written for itself.
 *
 *     rotor    three rotating vectors, 0.61, 0.173 and 0.0417 rad a sample, and noise of twice the bound
 *     walk     random walks: channels bounded coarsely and finely, one on a lattice of 50, one without loss
 *     bursts   rest with noise below the bound, bursts over a sixteenth of int32, jumps to both ends of int32, and ten
 *              samples in each thousand held at the upper one
 *
 * In every fourth frame statuses are coded: samples at an end of int32 are saturated, and one in 64 is invalid.
 */
#ifndef THREE_SIGNALS_H
#define THREE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

enum { SIGNAL_COUNT = 3, SIGNAL_CHANNELS = 6, FRAME_ROWS = 100, SIGNAL_VECTORS = SIGNAL_CHANNELS / 2 };

/** How one channel is coded. */
typedef struct {
  int32_t e;
  int32_t lattice;
  int32_t history_shift;
} signal_bound;

extern const char *const SIGNAL_NAMES[SIGNAL_COUNT];
extern const signal_bound SIGNAL_BOUNDS[SIGNAL_COUNT][SIGNAL_CHANNELS];

/** One of the signals, under way. */
typedef struct {
  int32_t which; /* 0..SIGNAL_COUNT - 1 */
  uint32_t row;
  uint32_t noise; /* xorshift32 of 13, 17, 5 */
  int32_t x[SIGNAL_VECTORS];
  int32_t y[SIGNAL_VECTORS];
  int32_t level[SIGNAL_CHANNELS];
} signal_source;

/** Start a signal. @param which  0..SIGNAL_COUNT - 1 */
void signal_begin(signal_source *source, int32_t which);

/** Whether statuses are coded in a frame, counted from 0. */
bool signal_has_events(uint32_t frame);

/** The next row: (SIGNAL_CHANNELS) samples and statuses; all of them ok unless the row's frame has events. */
void signal_next(signal_source *source, int32_t *samples, uint8_t *statuses);

#endif
