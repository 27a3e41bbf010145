/*
 * heatshrink's encoder as the npm package heatshrink 1.0.0 has it (Scott Vokes, version 0.4.1, ISC), set up for a
 * microcontroller in place of its own heatshrink_config.h: no heap, window 8, lookahead 4, HEATSHRINK_INDEX with its index
 * or without. Its code is not ours to mend: warnings are off for it.
 */
#define HEATSHRINK_CONFIG_H
#include "heatshrink-subject.h"

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#include "heatshrink_encoder.c"
