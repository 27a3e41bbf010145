#include "rotor.h"

/** A turn is 2^16 of phase. */
#define QUARTER 0x4000u
#define PHASE_STEP 10430u /* 1 rad */
#define PHASE_0_3 3129u   /* 0.3 rad */
#define PHASE_1 10430u    /* 1 rad */

/** 32767 sin(i pi / 128), rounded. */
static const int16_t SINES[65] = {
        0,   804,  1608,  2410,  3212,  4011,  4808,  5602,  6393,  7179,  7962,  8739,  9512,
    10278, 11039, 11793, 12539, 13279, 14010, 14732, 15446, 16151, 16846, 17530, 18204, 18868,
    19519, 20159, 20787, 21403, 22005, 22594, 23170, 23731, 24279, 24811, 25329, 25832, 26319,
    26790, 27245, 27683, 28105, 28510, 28898, 29268, 29621, 29956, 30273, 30571, 30852, 31113,
    31356, 31580, 31785, 31971, 32137, 32285, 32412, 32521, 32609, 32678, 32728, 32757, 32767,
};

/** Sine in units of 2^-15, by linear interpolation in a table of a quarter. */
static int32_t sine(uint32_t phase) {
  const uint32_t in_half = phase & 0x7fffu;
  const uint32_t x = in_half <= QUARTER ? in_half : 2u * QUARTER - in_half;
  const int32_t below = SINES[x >> 8];
  const int32_t above = SINES[x < QUARTER ? (x >> 8) + 1u : x >> 8];
  const int32_t value = below + ((above - below) * (int32_t)(x & 0xffu) >> 8);
  return (phase & 0x8000u) != 0 ? -value : value;
}

/** Two dice of 512 faces: -511..511, small numbers more often. */
static int32_t noise(uint32_t t, uint32_t channel) {
  uint32_t mixed = (t * ROTOR_CHANNELS + channel + 1u) * 2654435761u;
  mixed = (mixed ^ mixed >> 15) * 2246822519u;
  mixed ^= mixed >> 13;
  return (int32_t)(mixed & 511u) + (int32_t)(mixed >> 9 & 511u) - 511;
}

void rotor_sample(uint32_t t, int32_t *samples) {
  const uint32_t p = t * PHASE_STEP;
  samples[0] = sine(p);
  samples[1] = sine(p + QUARTER);
  samples[2] = 26214 + sine(p) / 50;
  samples[3] = sine(p + PHASE_0_3) / 2;
  samples[4] = sine(p + PHASE_0_3 + QUARTER) / 2;
  samples[5] = 32768 + sine(p + PHASE_1) / 10;
  for (uint32_t c = 0; c < ROTOR_CHANNELS; c++) samples[c] += noise(t, c);
}
