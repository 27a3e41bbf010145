/* A rotating machine as its inertial sensor sees it, in integers: the same numbers on every chip. */
#ifndef ROTOR_H
#define ROTOR_H

#include <stdint.h>

#define ROTOR_CHANNELS 6

/**
 * The t-th sample, in units of 2^-15. With p = 1 rad a sample (100 rad/s at 100 Hz), and noise of up to 511 units:
 *
 *     x = sin p   y = cos p   z = 0.8 + 0.02 sin p
 *     rx = 0.5 sin(p + 0.3)   ry = 0.5 cos(p + 0.3)   rz = 1 + 0.1 sin(p + 1)
 *
 * @param samples  (ROTOR_CHANNELS)
 */
void rotor_sample(uint32_t t, int32_t *samples);

#endif
